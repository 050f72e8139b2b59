//go:build !unix

package cli

import "testing"

// deafPort is a port where nobody listens: the lowest, which programs do not get.
func deafPort(*testing.T) string { return "1" }
