package main

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// form reads a posted form of at most so many bytes.
func (a *app) form(w http.ResponseWriter, r *http.Request, most int64) (url.Values, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, most)
	err := r.ParseMultipartForm(most)
	if errors.Is(err, http.ErrNotMultipart) {
		err = nil // ParseForm was called, and was content
	}
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			a.problem(w, r, http.StatusRequestEntityTooLarge, "too_large")
		} else {
			a.problem(w, r, http.StatusBadRequest, "bad_form")
		}
		return nil, false
	}
	for _, values := range r.PostForm {
		for i, v := range values {
			values[i] = strings.ToValidUTF8(strings.ReplaceAll(v, "\x00", ""), "\uFFFD")
		}
	}
	return r.PostForm, true
}

// chosen are the values of a form's checkboxes that were on offer.
func chosen(values, offered []string) []string {
	out := []string{}
	for _, o := range offered {
		if slices.Contains(values, o) {
			out = append(out, o)
		}
	}
	return out
}

// errorsAt are what is wrong with a form, by field. The empty field is for what
// belongs to none.
type errorsAt map[string][]string

func (e errorsAt) add(field, text string) { e[field] = append(e[field], text) }
