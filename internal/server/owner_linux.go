package server

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// listening is the state of a listening socket in /proc/net/tcp.
const listening = "0A"

// portOwner names the process that listens on addr's port, "" when it cannot
// be seen (another user's, or another container's).
func portOwner(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return ""
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		if inode := listenerInode(table, uint16(n)); inode != "" {
			if owner := socketOwner("socket:[" + inode + "]"); owner != "" {
				return owner
			}
		}
	}
	return ""
}

// listenerInode finds the inode of the socket that listens on port.
func listenerInode(table string, port uint16) string {
	f, err := os.Open(table)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		field := strings.Fields(lines.Text())
		if len(field) < 10 || field[3] != listening {
			continue
		}
		_, at, ok := strings.Cut(field[1], ":")
		b, err := hex.DecodeString(at)
		if ok && err == nil && len(b) == 2 && uint16(b[0])<<8|uint16(b[1]) == port {
			return field[9]
		}
	}
	return ""
}

// socketOwner finds the process that holds a socket.
func socketOwner(link string) string {
	fds, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	for _, fd := range fds {
		if target, err := os.Readlink(fd); err != nil || target != link {
			continue
		}
		pid := strings.Split(fd, "/")[2]
		name, err := os.ReadFile(filepath.Join("/proc", pid, "comm"))
		if err != nil {
			return "process " + pid
		}
		return fmt.Sprintf("process %s (%s)", pid, strings.TrimSpace(string(name)))
	}
	return ""
}
