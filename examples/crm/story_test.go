package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/ssoconn/sso/internal/testserver"
	"github.com/ssoconn/sso/ssotest"
)

// startServers runs the application and the practice IdP for a test.
func startServers(t *testing.T, dsn string) *servers {
	t.Helper()
	s, err := newServers(t.Context(), options{addr: "127.0.0.1:0", idp: "127.0.0.1:0", db: dsn}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		s.close()
	})
	return s
}

// TestStory has a browser click the whole story, from the first login to a
// changed certificate.
func TestStory(t *testing.T) {
	for _, c := range []struct{ lang, database string }{{"en", "sqlite"}, {"ru", "sqlite"}, {"en", "postgres"}, {"ru", "postgres"}} {
		t.Run(c.lang+" "+c.database, func(t *testing.T) {
			dsn := filepath.Join(t.TempDir(), "crm.db")
			if c.database == "postgres" {
				dsn = testserver.Postgres(t)
			}
			s := startServers(t, dsn)
			p := &play{t: t, servers: s, words: texts[c.lang], lang: c.lang, admin: newBrowser(t, c.lang, c.database+"-"+c.lang)}
			p.admin.do(chromedp.Navigate(s.appURL + "/"))
			p.connect()
			p.mendAudience()
			p.switchOn()
			p.people()
			p.invited()
			p.refusals()
			p.conflict()
			p.certificate()
		})
	}
}

// play is the story, its people and its places.
type play struct {
	t       *testing.T
	servers *servers
	words   map[string]string
	lang    string
	admin   *tab   // Olga's
	idp     *tab   // Olga's, with the IdP's administration page
	page    string // the connection's page
	chloe   *tab
}

func (p *play) w(name string, args ...any) string {
	p.t.Helper()
	s, ok := p.words[name]
	if !ok {
		p.t.Fatalf("no text %q", name)
	}
	if len(args) > 0 {
		s = fmt.Sprintf(s, args...)
	}
	return s
}

func (p *play) password(b *tab, email string) {
	b.t.Helper()
	b.visit(p.servers.appURL + "/login/acme")
	b.fill("#email", email)
	b.fill("#password", demoPassword)
	b.followText(p.w("log_in"))
}

// connect creates a connection and exchanges the data with the IdP, with one
// mistake: the audience.
func (p *play) connect() {
	a := p.admin
	a.visit(p.servers.appURL + "/")
	a.says(p.w("login_to", "Acme"))
	if strings.Contains(a.text("body"), p.w("sso_login")) {
		a.fatal(fmt.Errorf("the SSO button is there before a connection is on"))
	}
	a.shot("login")
	a.fill("#email", "olga@example.com")
	a.fill("#password", "wrong")
	a.followText(p.w("log_in"))
	a.says(p.w("wrong_login"))
	if got := a.value("#email"); got != "olga@example.com" {
		p.t.Errorf("the e-mail came back as %q", got)
	}
	a.shot("login-wrong")
	p.password(a, "olga@example.com")
	a.says(p.w("welcome", "Olga Orlova"))
	a.shot("home")
	a.followText(p.w("settings"))
	a.click(".menu summary")
	a.shot("users")
	a.followText(p.w("sso"))
	a.says(p.w("no_connections"))
	a.shot("connections-none")
	a.fill("#name", "Okta")
	a.followText(p.w("create"))
	p.page = eval[string](a, `location.href`)
	a.says(p.w("tab_idp"))
	a.says(p.w("at_okta_entity"))
	a.shot("data-for-idp")
	acs, entity := a.value("#acs"), a.value("#entity")

	p.idp = a.open()
	i := p.idp
	i.visit(p.servers.practice.url + "/admin/")
	i.followText("Create App Integration")
	i.fill("#name", "CRM")
	i.fill("#acsURL", acs)
	i.fill("#entityID", entity+"x")
	i.fill(`input[name=statementName]`, "email")
	i.fill(`input[name=statementValue]`, "user.email")
	i.fill(`tr:nth-child(3) input[name=statementName]`, "name")
	i.fill(`tr:nth-child(3) input[name=statementValue]`, `user.firstName + " " + user.lastName`)
	i.click("input[name=everyone]")
	i.followText("Save")

	a.click("#tab-app")
	a.fill("#sso_url", i.text("#ssoURL"))
	a.fill("#issuer", i.text("#issuer"))
	a.fill("#certificate", i.text("#certificate"))
	a.until(`document.querySelector("#recognised .certificate") !== null`)
	if got := a.text("#recognised"); !strings.Contains(got, "Practice IdP") || !strings.Contains(got, "2046-01-01") || !strings.Contains(got, p.w("fingerprint")) {
		p.t.Errorf("of the certificate is shown %q", got)
	}
	a.click(`input[name=groups][value=Sales]`)
	a.shot("data-for-app")
	a.says(p.w("why_untested"))
}

// test presses "Save and test", has somebody sign in at the IdP in the tab that
// opens, and waits for it to close.
func (p *play) test(email, misbehave string) {
	p.t.Helper()
	there, id := p.admin.opens("#test", p.servers.practice.url+"/sso")
	p.choose(there, email, misbehave)
	p.admin.gone(id)
	p.admin.until(`document.querySelector("#outcome")?.dataset.status === "done" && ` + loaded)
}

// choose signs somebody in at the IdP's login page, perhaps with a wrong answer.
func (p *play) choose(b *tab, email, misbehave string) {
	b.t.Helper()
	b.until(`document.querySelector("#misbehave") !== null && ` + loaded)
	if misbehave != "" {
		b.click("details summary")
		eval[bool](b, fmt.Sprintf(`(() => { document.querySelector("#misbehave").value = %q; return document.querySelector("#misbehave").value === %q })()`, misbehave, misbehave))
	}
	// Not by the mouse: the tab may be gone before the button is up again.
	b.soon(fmt.Sprintf(`document.querySelector('button[value=%q]').click()`, email))
}

// mendAudience sees what a wrong audience comes to, on both sides, and mends it.
func (p *play) mendAudience() {
	a, i := p.admin, p.idp
	there, id := a.opens("#test", p.servers.practice.url+"/sso")
	there.until(`document.querySelector("h1")?.innerText === "This application is not configured."`)
	there.says("Audience URI (SP Entity ID)")
	a.until(`document.querySelector("#outcome")?.dataset.status === "running"`)
	a.says(p.w("running"))
	a.shot("check-running")
	there.soon(`window.close()`)
	a.gone(id)
	i.fill("#entityID", a.value("#entity"))
	i.followText("Save")

	p.test("olga@example.com", "wrong-audience")
	a.says(p.w("failed"))
	advice := map[string]string{"en": "SP entity ID (audience) field", "ru": "Audience URI (SP Entity ID)"}[p.lang]
	if got := a.text("#outcome"); !strings.Contains(got, advice) || !strings.Contains(got, a.value("#entity")) {
		p.t.Errorf("the report does not advise on the audience: %q", got)
	}
	a.says(p.w("why_failed"))
	a.shot("check-failed")

	p.test("olga@example.com", "")
	a.says(p.w("passed"))
	a.says(p.w("then_on"))
	a.shot("check-passed")
}

func (p *play) switchOn() {
	a := p.admin
	a.click("#enabled")
	a.follow("#save")
	a.says(p.w("saved"))
	if got := a.text("#state"); got != p.w("state_on") {
		p.t.Errorf("the connection is %q", got)
	}
	a.shot("switched-on")
	a.followText(p.w("sso"))
	a.says(p.w("state_on"))
	a.shot("connections")
}

// enter goes to the login page and presses the button.
func (p *play) enter(b *tab) {
	b.t.Helper()
	b.visit(p.servers.appURL + "/login/acme")
	b.followText(p.w("sso_login"))
}

func (p *play) refused(b *tab, sentence string) {
	b.t.Helper()
	b.until(`document.querySelector(".number") !== null`)
	b.says(sentence)
	b.visit(p.servers.appURL + "/")
	b.says(p.w("login_to", "Acme")) // nobody is signed in
}

// people: who is in the chosen group enters, and who is not does not.
func (p *play) people() {
	ann := p.admin.person()
	ann.visit(p.servers.appURL + "/")
	ann.says(p.w("sso_login"))
	ann.shot("login-sso")
	p.enter(ann)
	p.choose(ann, "ann@example.com", "")
	ann.until(`location.pathname === "/" && ` + loaded)
	ann.says(p.w("welcome", "Ann Lee"))
	ann.says(p.w("role_manager"))
	ann.shot("entered")
	ann.visit(p.servers.appURL + "/settings/users")
	ann.says(p.w("admins_only"))
	ann.shot("admins-only")

	boris := p.admin.person()
	p.enter(boris)
	p.choose(boris, "boris@example.com", "")
	boris.until(`document.querySelector(".number") !== null`)
	boris.shot("refused-group")
	p.refused2(boris, map[string]string{
		"en": "You signed in, but your groups do not give you access. Ask your administrator.",
		"ru": "ваши группы не дают доступа",
	})
}

func (p *play) refused2(b *tab, sentence map[string]string) {
	b.t.Helper()
	p.refused(b, sentence[p.lang])
}

// invited: somebody new is refused, then enters with the link and has the
// default role; their name follows the IdP.
func (p *play) invited() {
	p.chloe = p.admin.person()
	c := p.chloe
	p.enter(c)
	p.choose(c, "chloe@example.com", "")
	p.refused2(c, map[string]string{"en": "you have no account here yet", "ru": "у вас ещё нет учётной записи"})

	a := p.admin
	a.visit(p.servers.appURL + "/settings/users")
	a.followText(p.w("invitation"))
	a.shot("invitation")
	a.click(`input[name=groups][value=Sales]`)
	a.followText(p.w("invite"))
	a.says(p.w("invite_link"))
	a.shot("invitation-link")
	link := a.value("#link")

	c.visit(link)
	p.choose(c, "chloe@example.com", "")
	c.until(`location.pathname === "/" && ` + loaded)
	c.says(p.w("welcome", "Chloé O'Neill"))
	c.says(p.w("role_sales"))

	people := p.servers.practice.idp.People()
	i := p.idp
	i.visit(p.servers.practice.url + "/admin/")
	i.fill(fmt.Sprintf("tr:nth-child(%d) input[name=first]", len(people)+1), "Zoé")
	i.followText("Save people")
	c.followText(p.w("log_out"))
	p.enter(c)
	p.choose(c, "chloe@example.com", "")
	c.until(`location.pathname === "/" && ` + loaded)
	c.says(p.w("welcome", "Zoé O'Neill"))

	a.visit(p.servers.appURL + "/settings/users")
	a.says("Zoé O'Neill")
	a.shot("users-after")
	a.followText("Zoé O'Neill")
	a.shot("user")

	spent := p.admin.person() // the link worked once
	spent.visit(link)
	p.choose(spent, "boris@example.com", "")
	spent.until(`document.querySelector(".number") !== null`)
	spent.has("#logout", false)
}

// refusals: what an IdP, or somebody in its place, must not get away with.
func (p *play) refusals() {
	c := p.chloe
	c.visit(p.servers.appURL + "/")
	c.followText(p.w("log_out"))
	wrong := map[string]string{"en": "The answer of your identity provider was not accepted.", "ru": "Ответ поставщика учётных записей не принят."}
	for _, m := range []ssotest.Misbehaviour{"expired", "wrong-audience", "wrong-key", "unsigned"} {
		if m.Description() == "" {
			p.t.Fatalf("there is no misbehaviour %q", m)
		}
		p.enter(c)
		p.choose(c, "chloe@example.com", string(m))
		p.refused2(c, wrong)
	}
	p.enter(c) // "replayed" answers are all one assertion
	p.choose(c, "chloe@example.com", "replayed")
	c.until(`location.pathname === "/" && ` + loaded)
	c.says("Zoé O'Neill")
	c.followText(p.w("log_out"))
	p.enter(c)
	p.choose(c, "chloe@example.com", "replayed")
	c.until(`document.querySelector(".number") !== null`)
	c.shot("refused-replay")
	p.refused2(c, wrong)
}

// conflict: somebody else saves while the form is open. Then the language is
// changed and changed back.
func (p *play) conflict() {
	a := p.admin
	a.visit(p.page)
	id := p.page[strings.LastIndex(p.page, "/")+1:]
	c, version, err := p.servers.db.sso.Connection(p.t.Context(), id)
	if err != nil {
		p.t.Fatal(err)
	}
	c.Name = "Theirs"
	if _, err := p.servers.db.sso.SaveConnection(p.t.Context(), c, version); err != nil {
		p.t.Fatal(err)
	}
	a.fill("#name", "Mine")
	a.follow("#save")
	a.says(p.w("conflict"))
	a.says("Theirs")
	if got := a.value("#name"); got != "Mine" {
		p.t.Errorf("the name came back as %q", got)
	}
	a.shot("conflict")
	a.follow("#save")
	a.says(p.w("saved"))
	other := map[string]string{"en": "ru", "ru": "en"}[p.lang]
	a.follow(".language button[value=" + other + "]")
	a.says(texts[other]["use_connection"])
	a.follow(".language button[value=" + p.lang + "]")
	a.says(p.w("use_connection"))
}

// certificate: the administrator changes it, so the connection goes off.
func (p *play) certificate() {
	a := p.admin
	a.visit(p.page)
	a.fill("#certificate", "MIIC garbage")
	a.until(`document.querySelector("#recognised .bad") !== null`)
	a.follow("#save")
	a.says(p.w("form_wrong"))
	if got := a.value("#certificate"); got != "MIIC garbage" {
		p.t.Errorf("the certificate came back as %q", got)
	}
	a.shot("form-wrong")
	other := ssotest.NewIdP(ssotest.Config{}).IdentityProvider().Certificates
	pem, err := other.MarshalText()
	if err != nil {
		p.t.Fatal(err)
	}
	a.fill("#certificate", string(pem))
	a.follow("#save")
	a.says(p.w("switched_off"))
	a.says(p.w("why_changed", p.w("certificate")))
	if got := a.text("#state"); got != p.w("state_off") {
		p.t.Errorf("the connection is %q", got)
	}
	a.shot("switched-off")
	c := p.chloe
	c.visit(p.servers.appURL + "/login/acme")
	if strings.Contains(c.text("body"), p.w("sso_login")) {
		p.t.Error("the SSO button is there while the connection is off")
	}
}
