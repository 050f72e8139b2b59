package envelope

import (
	"slices"
	"strings"

	"ottla/internal/event/jsonwalk"
	"ottla/internal/event/name"
)

// The extensions that hold what only EventBridge's envelope has, and the one that
// becomes the record's key where a bus or a door goes by it.
const (
	Account      = "ebaccount"
	Region       = "ebregion"
	Resources    = "ebresources" // a list of texts in JSON
	PartitionKey = "partitionkey"
)

// JSON is the content type of data that is JSON.
const JSON = "application/json"

// Event is one event, by CloudEvents' attributes. EventBridge's envelope says
// detail-type for Type, detail for Data; resources, account and region are the
// extensions ebresources, ebaccount and ebregion.
type Event struct {
	ID, Source, Type string
	Subject          string
	// Time is RFC 3339; "" is unknown. TimeMs is the same, since 1970; where Time is
	// unknown it is the record's.
	Time            string
	TimeMs          int64
	DataContentType string // "" is as JSON
	DataSchema      string
	// Extensions are sorted by name.
	Extensions []Extension
	Data       []byte // nil is none
	// Key is the record's key.
	Key []byte
	// Headers are the record's that are no attributes, in their order.
	Headers []Header

	// Foreign is a record that is no CloudEvent: its attributes are made up, and
	// Record gives it as it is. Clear it to store them.
	Foreign bool
	// StoredMs is when the record was stored; 0 is not yet.
	StoredMs int64
	// ReplayName is the replay that gives the event again; it shows in EventBridge's
	// envelope, and is never stored.
	ReplayName string
}

// Extension is one extension attribute: a name of [a-z0-9] and a text.
type Extension struct{ Name, Value string }

// Header is a header of a record.
type Header struct {
	Name  string
	Value []byte
}

func (e *Event) find(extension string) (int, bool) {
	return slices.BinarySearchFunc(e.Extensions, extension, func(x Extension, n string) int { return strings.Compare(x.Name, n) })
}

// Extension is the text of an extension, "" if there is none.
func (e *Event) Extension(called string) string {
	if i, ok := e.find(called); ok {
		return e.Extensions[i].Value
	}
	return ""
}

// Set sets an extension; "" removes it.
func (e *Event) Set(called, value string) {
	i, ok := e.find(called)
	switch {
	case ok && value == "":
		e.Extensions = slices.Delete(e.Extensions, i, i+1)
	case ok:
		e.Extensions[i].Value = value
	case value != "":
		e.Extensions = slices.Insert(e.Extensions, i, Extension{called, value})
	}
}

// SetPlace says the account and region of the event. Those of the default place are
// not stored.
func (e *Event) SetPlace(account, region string) {
	if account == name.DefaultAccount {
		account = ""
	}
	if region == name.DefaultRegion {
		region = ""
	}
	e.Set(Account, account)
	e.Set(Region, region)
}

// SetResources says the event's resources; the first is its subject.
func (e *Event) SetResources(all []string) {
	e.Set(Resources, "")
	if len(all) == 0 {
		return
	}
	e.Subject = all[0]
	list := []byte{'['}
	for i, r := range all {
		if i > 0 {
			list = append(list, ',')
		}
		list = jsonwalk.AppendString(list, r)
	}
	e.Set(Resources, string(append(list, ']')))
}

// ResourceList gives the event's resources; nil where it has none.
func (e *Event) ResourceList() []string { return texts([]byte(e.Extension(Resources))) }

// texts reads a list of texts; nil where it is none.
func texts(list []byte) (all []string) {
	good := true
	if !jsonwalk.Elements(list, func(value []byte) bool {
		var text string
		text, good = jsonwalk.String(value)
		all = append(all, text)
		return good
	}) || !good {
		return nil
	}
	return all
}

// Clone is a copy whose extensions and headers may be changed; bytes are shared.
func (e *Event) Clone() *Event {
	c := *e
	c.Extensions, c.Headers = slices.Clone(e.Extensions), slices.Clone(e.Headers)
	return &c
}
