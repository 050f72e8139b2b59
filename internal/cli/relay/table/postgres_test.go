package table_test

import (
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

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

// standby answers a connection as a server does that lets nothing be written, until it is
// hung up.
func standby(c net.Conn) {
	defer c.Close()
	b := pgproto3.NewBackend(c, c)
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return
	}
	b.Send(&pgproto3.AuthenticationOk{})
	for {
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if err := b.Flush(); err != nil {
			return
		}
		asked, err := b.Receive()
		if err != nil {
			return
		}
		if q, ok := asked.(*pgproto3.Query); ok && q.String == "show transaction_read_only" {
			b.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("transaction_read_only"), DataTypeOID: 25, DataTypeSize: -1, TypeModifier: -1}}})
			b.Send(&pgproto3.DataRow{Values: [][]byte{[]byte("on")}})
			b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SHOW")})
			continue
		}
		b.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "0A000", Message: "it knows nothing else"})
	}
}

// Each connection is asked, so that none is read from that cannot delete: the next may be
// to another server.
func TestAServerThatLetsNothingBeWrittenIsNotUsed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			standby(c)
		}
	}()
	_, err = table.Open(t.Context(), table.Spec{URL: "postgres://app@" + l.Addr().String() + "/shop?sslmode=disable", Table: "outbox"})
	if err == nil || !strings.Contains(err.Error(), "lets nothing be written") {
		t.Errorf("got %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	<-ended
}
