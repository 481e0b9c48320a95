package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"strings"

	"github.com/ssoconn/sso"
)

// The account that a new database begins with.
const seedAccount = "acme"

// The roles of the application.
const (
	roleAdministrator = "administrator"
	roleManager       = "manager"
	roleSales         = "sales"
)

var roles = []string{roleAdministrator, roleManager, roleSales}

var seedGroups = []string{"Sales", "Support", "Finance"}

// seedUsers can log in with a password, all with the same.
var seedUsers = []sso.User{
	{Email: "olga@example.com", Name: "Olga Orlova", Role: roleAdministrator, Groups: []string{"Sales"}},
	{Email: "ann@example.com", Name: "Ann Lee", Role: roleManager, Groups: []string{"Sales"}},
	{Email: "boris@example.com", Name: "Борис Петров", Role: roleSales, Groups: []string{"Support"}},
}

// demoPassword is for an application that only this machine can reach.
const demoPassword = "demo"

// seed fills a new database, and returns the password of its users: a fixed one
// for practice on loopback, else one that is shown this once. It is empty for a
// database that was filled before with passwords that nobody remembers.
func seed(ctx context.Context, db *database, practice bool) (password string, err error) {
	kept, err := setting(ctx, db, "seeded")
	if err != nil {
		return "", err
	}
	switch {
	case kept == "demo" && practice:
		return demoPassword, nil
	case kept == "demo":
		return "", errors.New("this database has users with the demo password, and others can reach the application: use another -db")
	case kept != "":
		return "", nil
	}
	password, kind := demoPassword, "demo"
	if !practice {
		password, kind = strings.ToLower(rand.Text()), "once"
	}
	if _, err := db.exec(ctx, db.pool, `INSERT INTO crm_accounts (id, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING`, seedAccount, "Acme"); err != nil {
		return "", err
	}
	for _, g := range seedGroups {
		if _, err := db.exec(ctx, db.pool, `INSERT INTO crm_groups (account_id, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING`, seedAccount, g); err != nil {
			return "", err
		}
	}
	for _, u := range seedUsers {
		err := users{db}.create(ctx, &user{User: u, Account: seedAccount, Password: hashPassword(password)}, "")
		if err != nil && !errors.Is(err, sso.ErrUserExists) {
			return "", err
		}
	}
	return password, putSetting(ctx, db, "seeded", kind)
}

// setting is a value that the application keeps for itself, "" if there is none.
func setting(ctx context.Context, db *database, name string) (value string, err error) {
	err = db.pool.QueryRowContext(ctx, db.q(`SELECT value FROM crm_settings WHERE name = ?1`), name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return value, err
}

func putSetting(ctx context.Context, db *database, name, value string) error {
	_, err := db.exec(ctx, db.pool, `INSERT INTO crm_settings (name, value) VALUES (?1, ?2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}
