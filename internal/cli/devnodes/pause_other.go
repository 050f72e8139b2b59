//go:build !unix

package devnodes

import (
	"errors"
	"os"
	"os/exec"
)

func apart(*exec.Cmd) {}

func freeze(*os.Process, bool) error {
	return errors.New("this system cannot let a process stand still")
}
