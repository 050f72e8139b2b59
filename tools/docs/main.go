package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// pages are the generated files, by path from the root.
var pages = map[string]func() string{
	"docs/compatibility.md": compatibility,
	"docs/configuration.md": configuration,
	"docs/metrics.md":       metrics,
}

func main() {
	for path, page := range pages {
		if err := os.WriteFile(filepath.FromSlash(path), []byte(page()), 0o644); err != nil {
			fmt.Fprintf(os.Stderr, "docs: %v\nrun it where go.mod is: go run ./tools/docs\n", err)
			os.Exit(1)
		}
	}
}
