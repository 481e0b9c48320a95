package clustertest

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/testserver"
	"github.com/ssoconn/sso/sqlstore"
	"github.com/ssoconn/sso/ssotest"
)

const (
	processes = 4
	clients   = 32 // that post one answer at once
	logins    = 12 // of each phase
)

func TestMain(m *testing.M) {
	if n, ok := testserver.Child(); ok {
		if err := serve(n); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// cluster is the processes and what they share.
type cluster struct {
	t     *testing.T
	idp   *ssotest.IdP
	conn  *sso.Connection
	db    *sql.DB
	store *sqlstore.Store
	env   []string
	next  atomic.Int64

	mu    sync.Mutex
	alive []process // guarded by mu
}

// process is one server.
type process struct {
	addr string
	kill func()
}

func newCluster(t *testing.T, postgres string, env ...string) *cluster {
	t.Helper()
	ctx := t.Context()
	c := &cluster{t: t, idp: ssotest.NewIdP(ssotest.Config{})}
	c.conn = c.idp.Connection(sso.ServiceProvider{EntityID: base + "/test/metadata", ACSURL: base + "/test/acs"})
	c.conn.RecordTest(&sso.Report{Checks: []sso.Check{{Status: sso.CheckPassed}}}, time.Now(), "test", "")
	if err := c.conn.Enable(); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(c.conn)
	if err != nil {
		t.Fatal(err)
	}
	if c.store, err = sqlstore.Open(ctx, postgres); err != nil {
		t.Fatal(err)
	}
	if c.db, err = sql.Open("pgx", postgres); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.store.Close(); c.db.Close() })
	if _, err := c.db.ExecContext(ctx, tables); err != nil {
		t.Fatal(err)
	}
	c.env = append(env, "CLUSTER_DSN="+postgres, "CLUSTER_CONNECTION="+string(text))
	c.grow(processes)
	return c
}

// grow starts n more processes and waits until they listen.
func (c *cluster) grow(n int) {
	c.t.Helper()
	f := testserver.NewFleet(c.t, n, c.env...)
	deadline := time.After(30 * time.Second)
	for range n {
		select {
		case line := <-f.Lines():
			addr, ok := strings.CutPrefix(line.Text, "listening ")
			if !ok {
				c.t.Fatalf("process %d says %q", line.Child, line.Text)
			}
			c.mu.Lock()
			c.alive = append(c.alive, process{addr, func() { f.Kill(line.Child) }})
			c.mu.Unlock()
		case <-deadline:
			c.t.Fatal("the processes do not listen")
		}
	}
}

// addr is the address of a process, another one with each i.
func (c *cluster) addr(i int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.alive[i%len(c.alive)].addr
}

var client = &http.Client{
	Timeout:       20 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{MaxIdleConnsPerHost: 2 * clients, DisableCompression: true},
}

// attempt is one sign-in whose answer is ready to be posted.
type attempt struct {
	form    url.Values
	cookies []*http.Cookie
	email   string
}

// begin starts a sign-in in one process; code is an invitation, or empty.
func (c *cluster) begin(process int, email, code string) (*attempt, error) {
	path := "/sso/test/login"
	if code != "" {
		path = "/sso/test/invite?code=" + url.QueryEscape(code)
	}
	resp, err := client.Get("http://" + c.addr(process) + path)
	if err != nil {
		return nil, err
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther && resp.StatusCode != http.StatusFound {
		return nil, fmt.Errorf("login: %s", resp.Status)
	}
	req, err := ssotest.ParseRequest(resp.Header.Get("Location"))
	if err != nil {
		return nil, err
	}
	form, err := c.idp.Respond(req, ssotest.Login{Email: email, Name: email}, ssotest.Options{})
	if err != nil {
		return nil, err
	}
	return &attempt{form: url.Values{"SAMLResponse": {form}, "RelayState": {req.RelayState}, "sso_again": {"1"}}, cookies: resp.Cookies(), email: email}, nil
}

// post posts an answer to a process and says with which status it answered,
// zero for none.
func (c *cluster) post(process int, a *attempt) int {
	r, err := http.NewRequest(http.MethodPost, "http://"+c.addr(process)+"/sso/test/acs", strings.NewReader(a.form.Encode()))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, k := range a.cookies {
		r.AddCookie(k)
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp.StatusCode
}

// storm posts one answer from many clients at once, to all processes, and
// counts who got in.
func (c *cluster) storm(a *attempt) (in int) {
	var wg sync.WaitGroup
	var entered atomic.Int64
	start := make(chan struct{})
	for i := range clients {
		wg.Go(func() {
			<-start
			if code := c.post(i, a); code == http.StatusSeeOther || code == http.StatusFound {
				entered.Add(1)
			}
		})
	}
	close(start)
	wg.Wait()
	return int(entered.Load())
}

// user adds a user who may sign in.
func (c *cluster) user() string {
	email := fmt.Sprintf("person-%d@example.com", c.next.Add(1))
	if _, err := (users{c.db}).CreateUser(context.Background(), "test", sso.User{Email: email, Name: email}); err != nil {
		c.t.Fatal(err)
	}
	return email
}

// count is what a query with one number answers.
func (c *cluster) count(query string, args ...any) int {
	c.t.Helper()
	var n int
	if err := c.db.QueryRow(query, args...).Scan(&n); err != nil {
		c.t.Fatal(err)
	}
	return n
}

// noDouble holds the rule that matters most: no assertion entered twice.
func (c *cluster) noDouble() {
	c.t.Helper()
	if n := c.count("SELECT COUNT(*) FROM (SELECT assertion FROM app_entries GROUP BY assertion HAVING COUNT(*) > 1) AS twice"); n != 0 {
		c.t.Errorf("%d answers let somebody in twice", n)
	}
}

func TestManyMachines(t *testing.T) {
	for _, k := range []struct {
		name string
		open func(t *testing.T) (c *cluster, stop, start func())
	}{
		{"postgres", func(t *testing.T) (*cluster, func(), func()) {
			pg := testserver.NewPostgres(t)
			return newCluster(t, pg.NewDatabase()), pg.Kill, pg.Start
		}},
		{"redis", func(t *testing.T) (*cluster, func(), func()) {
			redis := testserver.NewRedis(t)
			return newCluster(t, testserver.Postgres(t), "CLUSTER_REDIS="+redis.URL()), redis.Kill, redis.Start
		}},
	} {
		t.Run(k.name, func(t *testing.T) {
			c, stop, start := k.open(t)
			c.crossed()
			c.killed()
			c.grow(2)
			c.invited()
			c.grow(2)
			c.storeDown(stop, start)
			c.noDouble()
		})
	}
}

// crossed begins logins in one process and finishes them in another, with many
// clients at once: exactly one enters, always.
func (c *cluster) crossed() {
	c.t.Helper()
	for i := range logins {
		a, err := c.begin(i, c.user(), "")
		if err != nil {
			c.t.Fatal(err)
		}
		if code := c.post(i+1, &attempt{form: a.form}); code != http.StatusForbidden {
			c.t.Errorf("without its cookie an answer got %d", code)
		}
		if in := c.storm(a); in != 1 {
			c.t.Errorf("login %d: %d of %d clients got in, want 1", i, in, clients)
		}
	}
	if n := c.count("SELECT COUNT(*) FROM app_entries"); n != logins {
		c.t.Errorf("%d records of %d entries", n, logins)
	}
}

// killed kills processes while answers are posted. Nobody enters twice; whoever
// did not get in starts again and does.
func (c *cluster) killed() {
	c.t.Helper()
	var attempts []*attempt
	for i := range logins {
		a, err := c.begin(i, c.user(), "")
		if err != nil {
			c.t.Fatal(err)
		}
		attempts = append(attempts, a)
	}
	var wg sync.WaitGroup
	for _, a := range attempts {
		wg.Go(func() {
			if in := c.storm(a); in > 1 {
				c.t.Errorf("%d clients got in with one answer", in)
			}
		})
	}
	time.Sleep(15 * time.Millisecond)
	c.kill()
	c.kill()
	wg.Wait()
	c.noDouble()
	for i, a := range attempts {
		if c.count("SELECT COUNT(*) FROM app_entries e JOIN app_users u ON e.user_id = u.id::text WHERE u.email = $1", a.email) > 0 {
			continue
		}
		again, err := c.begin(i, a.email, "")
		if err != nil {
			c.t.Fatal(err)
		}
		if in := c.storm(again); in != 1 {
			c.t.Errorf("starting again, %d clients got in, want 1", in)
		}
	}
}

// kill ends a process by SIGKILL; its address is not used any more.
func (c *cluster) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alive[0].kill()
	c.alive = c.alive[1:]
}

// invited has several people race for invitations for one, while a process is
// killed. Each invitation makes one user, neither more nor, in the end, less.
func (c *cluster) invited() {
	c.t.Helper()
	ctx := context.Background()
	const people = 6
	var codes []string
	for i := range logins {
		code := fmt.Sprintf("invitation-%d-%d", i, time.Now().UnixNano())
		if err := c.store.PutInvitation(ctx, sso.Invitation{Code: code, ConnectionID: c.conn.ID, MaxUses: 1, Role: code}); err != nil {
			c.t.Fatal(err)
		}
		codes = append(codes, code)
	}
	created := func(code string) int {
		return c.count("SELECT COUNT(*) FROM app_users WHERE body LIKE '%' || $1 || '%'", code)
	}
	round := func(code string) {
		var wg sync.WaitGroup
		for p := range people {
			wg.Go(func() {
				a, err := c.begin(p, fmt.Sprintf("%s-%d@example.com", code, p), code)
				if err == nil {
					c.post(p+1, a)
				}
			})
		}
		wg.Wait()
	}
	var wg sync.WaitGroup
	for _, code := range codes {
		wg.Go(func() { round(code) })
	}
	time.Sleep(30 * time.Millisecond)
	c.kill()
	wg.Wait()
	for _, code := range codes {
		for range 5 {
			if created(code) == 1 {
				break
			}
			round(code) // the one whose sign-in was cut off comes again
		}
		if n := created(code); n != 1 {
			c.t.Errorf("an invitation for one made %d users", n)
		}
		inv, _, err := c.store.Invitation(ctx, code, "", time.Now())
		if err != nil || inv.Uses != 1 {
			c.t.Errorf("an invitation for one has %d uses (%v)", inv.Uses, err)
		}
	}
}

// storeDown takes the store away and brings it back.
func (c *cluster) storeDown(stop, start func()) {
	c.t.Helper()
	a, err := c.begin(0, c.user(), "")
	if err != nil {
		c.t.Fatal(err)
	}
	before := c.count("SELECT COUNT(*) FROM app_entries")
	stop()
	begin := time.Now()
	if code := c.post(1, a); code != http.StatusServiceUnavailable {
		c.t.Errorf("with the store down an answer got %d, want 503", code)
	}
	if took := time.Since(begin); took > 10*time.Second {
		c.t.Errorf("with the store down the answer took %s", took)
	}
	start()
	// Connections from before the crash may still be in the pools: a sign-in
	// that meets one is refused, and the person starts again.
	in := 0
	for deadline := time.Now().Add(20 * time.Second); in == 0 && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		again, err := c.begin(2, a.email, "")
		if err == nil {
			in = c.storm(again)
		}
	}
	if in != 1 {
		c.t.Errorf("after the store came back %d clients got in, want 1", in)
	}
	for c.db.Ping() != nil {
		time.Sleep(10 * time.Millisecond)
	}
	if n := c.count("SELECT COUNT(*) FROM app_entries"); n < before+1 {
		c.t.Errorf("%d entries were recorded, want 1", n-before)
	}
}
