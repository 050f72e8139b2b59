package server

import (
	"fmt"
	"testing"
)

func TestListsOfSettingsAreNamesWithoutBlanks(t *testing.T) {
	for text, want := range map[string]string{"": "[]", "a": "[a]", " a , b,,": "[a b]", ",": "[]"} {
		if got := fmt.Sprint(splitList(text)); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}
