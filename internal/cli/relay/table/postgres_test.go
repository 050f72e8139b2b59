package table_test

import (
	"strings"
	"testing"

	"ottla/internal/cli/relay/table"
)

// A URL has a password in it, which nothing that is said may have, whatever is wrong.
func TestAPasswordIsNeverTold(t *testing.T) {
	for _, url := range []string{
		"postgres://app:se#cret@127.0.0.1/shop",
		"postgres://app:se/cret@127.0.0.1/shop",
		"postgres://app:se cret@127.0.0.1/shop",
		"postgres://app:%zzcret@127.0.0.1/shop",
		"postgres://app:se:cret@127.0.0.1:x/shop",
		"postgres://app:secret@127.0.0.1:99999999/shop",
		"postgres://app:secret@127.0.0.1/shop?sslmode=none",
		"postgres://127.0.0.1/shop?password=secret&sslmode=none",
		"postgres://127.0.0.1/shop?user=app&password=se%zzcret",
		"postgres://127.0.0.1:1/shop?user=app&password=secret",
		"postgres://app:secret@127.0.0.1:1/shop",
		"postgres://app:secret@[::1/shop",
		"host=127.0.0.1 user=app password=secret",
		"password=secret",
		"app/secret@127.0.0.1",
	} {
		_, err := table.Open(t.Context(), table.Spec{URL: url, Table: "outbox"})
		if err == nil {
			t.Errorf("%s is opened", url)
		} else if strings.Contains(err.Error(), "cret") || strings.Contains(err.Error(), "se#") || strings.Contains(err.Error(), "app:se") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
