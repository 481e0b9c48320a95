package ssotest

import "errors"

func (m *message) encrypt() error { return errors.New("ssotest: encryption is not there yet") }
