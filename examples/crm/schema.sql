CREATE TABLE IF NOT EXISTS crm_accounts (
	id   text NOT NULL PRIMARY KEY,
	name text NOT NULL
);

CREATE TABLE IF NOT EXISTS crm_groups (
	account_id text NOT NULL REFERENCES crm_accounts (id),
	name       text NOT NULL,
	PRIMARY KEY (account_id, name)
);

CREATE TABLE IF NOT EXISTS crm_users (
	id         text NOT NULL PRIMARY KEY,
	account_id text NOT NULL REFERENCES crm_accounts (id),
	email      text NOT NULL,
	email_key  text NOT NULL,
	name       text NOT NULL,
	role       text NOT NULL,
	password   text NOT NULL,
	disabled   bigint NOT NULL,
	UNIQUE (account_id, email_key)
);

CREATE TABLE IF NOT EXISTS crm_user_groups (
	user_id    text NOT NULL REFERENCES crm_users (id) ON DELETE CASCADE,
	group_name text NOT NULL,
	PRIMARY KEY (user_id, group_name)
);

CREATE TABLE IF NOT EXISTS crm_connections (
	id         text NOT NULL PRIMARY KEY,
	account_id text NOT NULL REFERENCES crm_accounts (id)
);

CREATE TABLE IF NOT EXISTS crm_subjects (
	connection_id text NOT NULL REFERENCES crm_connections (id) ON DELETE CASCADE,
	subject       text NOT NULL,
	user_id       text NOT NULL REFERENCES crm_users (id) ON DELETE CASCADE,
	PRIMARY KEY (connection_id, subject),
	UNIQUE (connection_id, user_id)
);

CREATE TABLE IF NOT EXISTS crm_sessions (
	id      text   NOT NULL PRIMARY KEY,
	body    text   NOT NULL,
	expires bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS crm_settings (
	name  text NOT NULL PRIMARY KEY,
	value text NOT NULL
);
