package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ssoconn/sso"
)

var (
	getConnection   = both(`SELECT version, body FROM sso_connections WHERE id = ?1`)
	listConnections = both(`SELECT body FROM sso_connections ORDER BY id`)
	newConnection   = both(`INSERT INTO sso_connections (id, version, body) VALUES (?1, 1, ?2)
		ON CONFLICT (id) DO NOTHING RETURNING version`)
	saveConnection = both(`UPDATE sso_connections SET version = version + 1, body = ?2
		WHERE id = ?1 AND version = ?3 RETURNING version`)
	deleteInvitations = both(`DELETE FROM sso_invitations WHERE connection_id = ?1`)
	deleteConnection  = both(`DELETE FROM sso_connections WHERE id = ?1`)
)

// Connection returns a connection and its version, or sso.ErrNotFound. Private
// keys are not kept: the application puts them in.
func (s *Store) Connection(ctx context.Context, id string) (*sso.Connection, int64, error) {
	// The ID may come from an address that a visitor made up, and PostgreSQL
	// answers text that is none with an error, which would read as an outage.
	if !isText(id) {
		return nil, 0, sso.ErrNotFound
	}
	var version int64
	var body string
	if err := s.row(ctx, "connection", reading, getConnection, []any{id}, &version, &body); err != nil {
		return nil, 0, err
	}
	c, err := decode(body)
	if err != nil {
		return nil, 0, fmt.Errorf("sqlstore: connection %q: %w", id, err)
	}
	return c, version, nil
}

// SaveConnection stores c if its version is still the given one, zero for a new
// connection, and returns the next version; otherwise sso.ErrConflict. It stores
// drafts too: Validate is the application's to call.
func (s *Store) SaveConnection(ctx context.Context, c *sso.Connection, version int64) (int64, error) {
	if c == nil || c.ID == "" || !isText(c.ID) {
		return 0, errors.New("sqlstore: a connection needs an ID, in UTF-8 and without NUL")
	}
	body, err := json.Marshal(c)
	if err != nil {
		return 0, fmt.Errorf("sqlstore: connection %q: %w", c.ID, err)
	}
	query, args := newConnection, []any{c.ID, string(body)}
	if version != 0 {
		query, args = saveConnection, append(args, version)
	}
	var next int64
	err = s.row(ctx, "save connection", durable, query, args, &next)
	if err == sso.ErrNotFound {
		return 0, sso.ErrConflict
	}
	return next, err
}

// DeleteConnection removes a connection and its invitations: a connection that
// is made anew under the same ID, perhaps with another IdP, does not inherit
// them. Removing what is not there is no error.
func (s *Store) DeleteConnection(ctx context.Context, id string) error {
	if !isText(id) {
		return nil
	}
	return s.tx(ctx, "delete connection", func(ctx context.Context, q querier) error {
		if _, err := q.ExecContext(ctx, deleteInvitations.in(s.dialect), id); err != nil {
			return err
		}
		_, err := q.ExecContext(ctx, deleteConnection.in(s.dialect), id)
		return err
	})
}

// Connections returns all connections, by ID.
func (s *Store) Connections(ctx context.Context) ([]*sso.Connection, error) {
	var out []*sso.Connection
	err := s.run(ctx, "connections", reading, func(ctx context.Context, db *sql.DB) error {
		out = nil
		rows, err := db.QueryContext(ctx, listConnections.in(s.dialect))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var body string
			if err := rows.Scan(&body); err != nil {
				return err
			}
			c, err := decode(body)
			if err != nil {
				return err
			}
			out = append(out, c)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func decode(body string) (*sso.Connection, error) {
	var c sso.Connection
	if err := json.Unmarshal([]byte(body), &c); err != nil {
		return nil, err
	}
	return &c, nil
}

// isText says whether s can be text in both dialects.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }
