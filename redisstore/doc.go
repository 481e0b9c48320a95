package redisstore

import (
	_ "github.com/redis/go-redis/v9"
	_ "github.com/ssoconn/sso"
)
