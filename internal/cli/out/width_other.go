//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package out

import "os"

// WidthOf is how many columns a terminal has; 0 is unknown.
func WidthOf(*os.File) int { return 0 }
