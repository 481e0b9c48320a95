package bench

import (
	"context"
	"testing"
	"time"

	"github.com/ssoconn/sso/internal/testserver"
	"github.com/ssoconn/sso/redisstore"
	"github.com/ssoconn/sso/ssotest"
)

func redisSite(b *testing.B, idp *ssotest.IdP) *site {
	store, err := redisstore.Open(context.Background(), testserver.Redis(b), redisstore.Options{Prefix: "bench:" + time.Now().Format(time.RFC3339Nano)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	return newSite(b, idp, store, store)
}
