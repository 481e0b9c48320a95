package clustertest

import (
	"context"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/redisstore"
	"github.com/ssoconn/sso/ssohttp"
)

func openRedis(url string) (ssohttp.StateStore, sso.ReplayCache, error) {
	s, err := redisstore.Open(context.Background(), url, redisstore.Options{Prefix: "cluster:"})
	return s, s, err
}
