//go:build linux

package three

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"ottla/internal/record"
)

// batches are some batches of one record each.
func batches(n int) []byte {
	var out []byte
	for i := range n {
		b := record.NewBuilder()
		b.Add(1, nil, bytes.Repeat([]byte{byte(i)}, 10+i))
		out = append(out, b.Build(int64(i))...)
	}
	return out
}

func TestOneBitIsFlippedAndItsMendingIsSeen(t *testing.T) {
	name := filepath.Join(t.TempDir(), "0.log")
	for seed := range uint64(200) {
		good := batches(5)
		if err := os.WriteFile(name, good, 0o600); err != nil {
			t.Fatal(err)
		}
		was, err := flip(name, rand.New(rand.NewPCG(seed, 0)).IntN)
		if err != nil || !bytes.Equal(was, good) {
			t.Fatalf("seed %d: %v", seed, err)
		}
		bad, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		bits := 0
		for i := range bad {
			for x := bad[i] ^ good[i]; x != 0; x &= x - 1 {
				bits++
			}
		}
		if bits != 1 || unmended(name, was) == "" {
			t.Errorf("seed %d: %d bits differ, and it is said to be mended: %v", seed, bits, unmended(name, was) == "")
		}
		for what, b := range map[string][]byte{"mended": good, "fetched anew": batches(4)} {
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if lacking := unmended(name, was); lacking != "" {
				t.Errorf("seed %d, %s: %s", seed, what, lacking)
			}
		}
	}
}
