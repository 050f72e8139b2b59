package uuid_test

import (
	"strings"
	"testing"

	"ottla/internal/uuid"
)

func TestAnIdentifierHasTwoTextForms(t *testing.T) {
	id, err := uuid.New(strings.NewReader("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := id.Standard(), "30313233-3435-4637-b839-616263646566"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if back, err := uuid.Parse(id.String()); err != nil || back != id {
		t.Errorf("%s reads as %v, %v", id, back, err)
	}
	if _, err := uuid.Parse(id.Standard()); err == nil {
		t.Error("RFC 9562's form is read as Kafka's")
	}
}
