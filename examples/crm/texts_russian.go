package main

import "github.com/ssoconn/sso"

var russianProblems = []struct{ problem, sentence string }{}

var russianHints = map[sso.Reason]string{}
