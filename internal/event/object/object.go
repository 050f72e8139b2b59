package object

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"ottla/internal/event/name"
)

// Topic is where objects are.
const Topic = "__ottla_objects"

// Object is one object's definition.
type Object struct {
	Ref name.Ref `json:"-"`
	// ID is another for each object that ever had the name.
	ID string `json:"id"`
	// Version counts changes, from 1 on.
	Version  int64           `json:"version"`
	Created  time.Time       `json:"created"`
	Modified time.Time       `json:"modified"`
	Spec     json.RawMessage `json:"spec"`
	// Change is the identifier of the change that made this version.
	Change string `json:"change"`
}

// News is what happened to an object.
type News struct {
	Object  Object // as it is, or as it was before it was deleted
	Deleted bool
}

// Marshal writes what an object keeps, as json.Marshal does but with <, > and & as they
// are: for markup it would take six times the room.
func Marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// MostBytes is what an object may take.
const MostBytes = 4 << 20

// ErrConflict says that the object is not at the version that was to be
// changed: read it again.
var ErrConflict = errors.New("the object was changed by somebody else meanwhile; read it again and repeat the change")

// ErrTooLarge says that the object takes more than is kept of one.
var ErrTooLarge = errors.New("the object is too large")

// ErrNotFound says that there is no such object.
var ErrNotFound = errors.New("there is no such object")
