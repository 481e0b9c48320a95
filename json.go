package sso

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// connectionVersion is the shape in which a Connection is stored. Version 0,
// or none, has ClockSkew as a number of nanoseconds.
const connectionVersion = 1

// storedConnection is the JSON of a Connection: its fields as they are, a
// version, and the skew in words.
type storedConnection struct {
	Version int `json:"version"`
	plainConnection
	ClockSkew storedDuration `json:"clockSkew,omitempty"`
}

// plainConnection is a Connection without its methods, so that encoding does
// not call itself.
type plainConnection Connection

// storedDuration is "2m0s", or a number of nanoseconds in older rows.
type storedDuration time.Duration

func (d storedDuration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *storedDuration) UnmarshalJSON(data []byte) error {
	if !bytes.HasPrefix(data, []byte(`"`)) {
		return json.Unmarshal(data, (*int64)(d))
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is no duration such as 2m0s", s)
	}
	*d = storedDuration(v)
	return nil
}

// MarshalJSON writes the connection as the application stores it. Private keys
// are left out: the application keeps those apart.
func (c Connection) MarshalJSON() ([]byte, error) {
	return json.Marshal(storedConnection{Version: connectionVersion, plainConnection: plainConnection(c), ClockSkew: storedDuration(c.ClockSkew)})
}

// UnmarshalJSON reads a stored connection, of this version or an older one. A
// field that is not known is an error that names it: a setting that a newer
// program wrote, or that somebody misspelt, must not be lost in silence. The
// keys of SP, which are not in the JSON, stay as they are in c.
func (c *Connection) UnmarshalJSON(data []byte) error {
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return fmt.Errorf("sso: connection: %w", err)
	}
	if version.Version > connectionVersion || version.Version < 0 {
		return &FieldError{Field: "version", Problem: fmt.Sprintf("is %d, this program knows up to %d", version.Version, connectionVersion), Hint: "read it with a newer version of the program"}
	}
	var s storedConnection
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return storedError(err, "a connection", data, reflect.TypeFor[storedConnection]())
	}
	out := Connection(s.plainConnection)
	out.ClockSkew = time.Duration(s.ClockSkew)
	out.SP.SigningKey, out.SP.NextSigningKey, out.SP.DecryptionKeys = c.SP.SigningKey, c.SP.NextSigningKey, c.SP.DecryptionKeys
	*c = out
	return nil
}

// storedError names the field at fault by its path, with the names of the JSON:
// what is a kind of thing that is stored, read from data into t.
func storedError(err error, what string, data []byte, t reflect.Type) error {
	var te *json.UnmarshalTypeError
	if errors.As(err, &te) {
		return &FieldError{Field: strings.TrimPrefix(te.Field, "plainConnection."), Problem: "is a JSON " + te.Value, Hint: "it must be a " + te.Type.String()}
	}
	if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
		name = strings.Trim(name, `"`)
		return &FieldError{Field: orElse(unknownField(data, t), name), Problem: "is not a field of " + what, Hint: "check its spelling, or read it with a newer version of the program"}
	}
	return fmt.Errorf("sso: %s: %w", what, err)
}

// unknownField finds the first member of a JSON object that t has no field for,
// "" if it cannot tell: the decoder says its name and not where it stands.
func unknownField(data []byte, t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var object map[string]json.RawMessage
	if t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) || json.Unmarshal(data, &object) != nil {
		return "" // what decodes itself answers for its own fields
	}
	fields := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			fields[strings.ToLower(name)] = f.Type
		}
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		in, ok := fields[strings.ToLower(name)]
		if !ok {
			return name
		}
		if inner := unknownField(object[name], in); inner != "" {
			return name + "." + inner
		}
	}
	return ""
}
