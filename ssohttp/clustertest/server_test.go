package clustertest

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/sqlstore"
	"github.com/ssoconn/sso/ssohttp"
)

// base is where browsers think that the application is: a balancer in front of
// the processes. The tests choose a process by themselves.
const base = "http://localhost/sso"

// serve is one process of the application. It prints its address and serves
// until it is killed.
func serve(process int) error {
	ctx := context.Background()
	store, err := sqlstore.Open(ctx, os.Getenv("CLUSTER_DSN"))
	if err != nil {
		return err
	}
	db, err := sql.Open("pgx", os.Getenv("CLUSTER_DSN"))
	if err != nil {
		return err
	}
	var state ssohttp.StateStore = store
	var replay sso.ReplayCache = store
	if addr := os.Getenv("CLUSTER_REDIS"); addr != "" {
		if state, replay, err = openRedis(addr); err != nil {
			return err
		}
	}
	var conn sso.Connection
	if err := json.Unmarshal([]byte(os.Getenv("CLUSTER_CONNECTION")), &conn); err != nil {
		return err
	}
	h, err := ssohttp.New(ssohttp.Config{
		BaseURL: base, State: state, Replay: replay, Timeout: 3 * time.Second,
		Connections: func(context.Context, string) (*sso.Connection, error) { return &conn, nil },
		Provisioner: &sso.Provisioner{Users: users{db}, Invitations: store, Groups: sso.AdmitAll},
		SignedIn: func(w http.ResponseWriter, r *http.Request, l *ssohttp.Login) error {
			_, err := db.ExecContext(r.Context(), "INSERT INTO app_entries (assertion, user_id, process) VALUES ($1, $2, $3)", l.Assertion.ID, l.Outcome.User.ID, process)
			return err
		},
		Refused: func(r *http.Request, f ssohttp.Refusal) {
			if os.Getenv("CLUSTER_VERBOSE") != "" {
				fmt.Fprintln(os.Stderr, process, f)
			}
		},
	})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("listening", l.Addr())
	return http.Serve(l, h.Mount("/sso"))
}
