package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"

	"ottla/test/realfault"
)

// postgres is a server that we start. Run by root it is the user postgres's, since no
// server of Postgres runs as root.
type postgres struct {
	bin, dir string
	port     int
}

func startPostgres(ctx context.Context, dir string) (*postgres, error) {
	bin := ""
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			bin = filepath.Dir(path)
		}
	} else if found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); err == nil && len(found) > 0 {
		bin = filepath.Dir(found[len(found)-1])
	}
	if bin == "" {
		return nil, &realfault.Impossible{Reason: "there is no server of Postgres (apt-get install postgresql)"}
	}
	if os.Geteuid() == 0 {
		if _, err := user.Lookup("postgres"); err != nil {
			return nil, &realfault.Impossible{Reason: "there is no user postgres, and root may not run its server"}
		}
	}
	free, err := realfault.FreePorts(1)
	if err != nil {
		return nil, err
	}
	p := &postgres{bin: bin, dir: filepath.Join(dir, "postgres"), port: free[0]}
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		if err := os.Chmod(dir, 0o755); err != nil {
			return nil, err
		}
		if out, err := exec.CommandContext(ctx, "chown", "postgres", p.dir).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("chown: %w: %s", err, out)
		}
	}
	if err := p.run(ctx, "initdb", "-D", p.dir+"/data", "-A", "trust", "-U", "app", "-E", "UTF8", "--no-locale"); err != nil {
		return nil, err
	}
	return p, p.start(ctx)
}

func (p *postgres) start(ctx context.Context) error {
	return p.run(ctx, "pg_ctl", "-D", p.dir+"/data", "-l", p.dir+"/log", "-w", "-t", "120", "-o", fmt.Sprintf("-p %d -h 127.0.0.1 -k %s", p.port, p.dir), "start")
}

// run runs one of its programs as its user.
func (p *postgres) run(ctx context.Context, program string, args ...string) error {
	words := append([]string{filepath.Join(p.bin, program)}, args...)
	if os.Geteuid() == 0 {
		for i, w := range words {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		words = []string{"su", "postgres", "-s", "/bin/sh", "-c", strings.Join(words, " ")}
	}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir = p.dir
	// Not to pipes: the server keeps them open.
	said, err := os.OpenFile(filepath.Join(filepath.Dir(p.dir), "postgres.out"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer said.Close()
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s, as %s tells: %w", program, said.Name(), err)
	}
	return nil
}

func (p *postgres) url() string {
	return fmt.Sprintf("postgres://app@127.0.0.1:%d/postgres?sslmode=disable", p.port)
}
func (p *postgres) place(n int) string        { return fmt.Sprintf("$%d", n) }
func (p *postgres) connect() (*sql.DB, error) { return sql.Open("pgx", p.url()) }
func (p *postgres) mortal() bool              { return true }

func (p *postgres) kill(ctx context.Context) error {
	if err := p.run(ctx, "pg_ctl", "-D", p.dir+"/data", "-w", "-m", "immediate", "stop"); err != nil {
		return err
	}
	return p.start(ctx)
}

func (p *postgres) close() error {
	return p.run(context.Background(), "pg_ctl", "-D", p.dir+"/data", "-w", "-m", "fast", "stop")
}
