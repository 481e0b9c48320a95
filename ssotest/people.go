package ssotest

import (
	"slices"

	"github.com/ssoconn/sso"
)

// An Application is a service provider that the IdP knows, with the settings
// that an administrator would make for it.
type Application struct {
	Name string
	// EntityID is the "Audience URI (SP Entity ID)".
	EntityID string
	// ACSURL is the "Single Sign-On URL". A request that asks for an answer to
	// another address is refused.
	ACSURL string
	// SLOURL takes logout messages. Empty: none are sent.
	SLOURL string
	// Statements are the attribute statements. Nil: the attributes that the
	// profile sends.
	Statements []Statement
	// GroupAttribute carries the names of the person's groups, in addition to
	// Statements. Empty: no groups. It has no effect where Statements is nil.
	GroupAttribute string
	// Assigned are the e-mail addresses of those who may enter. Nil: everybody.
	Assigned []string
	// Options are how the IdP answers this application.
	Options Options
}

// A Statement is one attribute statement: a name, and an expression such as
// user.email or user.firstName + " " + user.lastName.
type Statement struct {
	Name, Expression string
}

// A Person can sign in at Handler.
type Person struct {
	FirstName, LastName, Email string
	Groups                     []string
}

// Login is what the IdP says of the person.
func (p Person) Login() Login {
	return Login{Email: p.Email, FirstName: p.FirstName, LastName: p.LastName, Groups: p.Groups}
}

func somePeople() []Person {
	return []Person{
		{FirstName: "Ann", LastName: "Lee", Email: "ann@example.com", Groups: []string{"Sales", "Everyone"}},
		{FirstName: "Борис", LastName: "Петров", Email: "boris@example.com", Groups: []string{"Support", "Everyone"}},
		{FirstName: "Chloé", LastName: "O'Neill", Email: "chloe@example.com", Groups: []string{"Everyone"}},
	}
}

// Applications returns a copy of the applications that the IdP knows.
func (p *IdP) Applications() []Application {
	p.mu.RLock()
	defer p.mu.RUnlock()
	apps := slices.Clone(p.apps)
	for i := range apps {
		apps[i] = apps[i].clone()
	}
	return apps
}

// SetApplications replaces the applications that the IdP knows.
func (p *IdP) SetApplications(apps ...Application) {
	apps = slices.Clone(apps)
	for i := range apps {
		apps[i] = apps[i].clone()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.apps = apps
}

// People returns a copy of the people who can be chosen at Handler.
func (p *IdP) People() []Person {
	p.mu.RLock()
	defer p.mu.RUnlock()
	people := slices.Clone(p.people)
	for i := range people {
		people[i].Groups = slices.Clone(people[i].Groups)
	}
	return people
}

// SetPeople replaces the people who can be chosen at Handler.
func (p *IdP) SetPeople(people ...Person) {
	people = slices.Clone(people)
	for i := range people {
		people[i].Groups = slices.Clone(people[i].Groups)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.people = people
}

func (a Application) clone() Application {
	a.Statements = slices.Clone(a.Statements)
	a.Assigned = slices.Clone(a.Assigned)
	return a
}

// login is what the IdP says of the person to this application.
func (a Application) login(person Person) (Login, error) {
	login := person.Login()
	if a.Statements == nil {
		return login, nil
	}
	only := Login{NameID: login.Email, Attributes: []sso.Attribute{}}
	for _, s := range a.Statements {
		value, err := evaluate(s.Expression, person)
		if err != nil {
			return Login{}, err
		}
		only.Attributes = append(only.Attributes, sso.Attribute{Name: s.Name, Values: []string{value}})
	}
	if a.GroupAttribute != "" && len(person.Groups) > 0 {
		only.Attributes = append(only.Attributes, sso.Attribute{Name: a.GroupAttribute, Values: slices.Clone(person.Groups)})
	}
	return only, nil
}
