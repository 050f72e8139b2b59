//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"ottla/test/oracle/apache"
	"ottla/test/packages"
	"ottla/test/realfault"
)

// elasticMQ is what is measured beside.
const elasticMQ = "org.elasticmq:elasticmq-server_2.13:1.7.1"

// startsWithin bounds the start of a server.
const startsWithin = time.Minute

// elasticmq is ElasticMQ as it comes, with its queues in memory.
func (b *bench) elasticmq(ctx context.Context) (*side, error) {
	return b.get(ctx, "elasticmq", b.startElasticMQ)
}

func (b *bench) startElasticMQ(ctx context.Context, name string) (*side, error) {
	if err := apache.Available(); err != nil {
		return nil, &realfault.Impossible{Reason: err.Error()}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find a cache folder: %w", err)
	}
	libs, err := packages.Maven(ctx, filepath.Join(cache, "ottla-benchsqs"), []string{elasticMQ})
	if err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	host, port, _ := strings.Cut(addr, ":")
	return b.startProcess(ctx, name, addr, "java",
		"-Dnode-address.host="+host, "-Dnode-address.port="+port, "-Drest-sqs.bind-hostname="+host, "-Drest-sqs.bind-port="+port, "-Drest-stats.enabled=false",
		"-cp", filepath.Join(libs, "*"), "org.elasticmq.server.Main")
}

// startProcess starts a server and waits until it answers.
func (b *bench) startProcess(ctx context.Context, name, addr, program string, args ...string) (*side, error) {
	log, err := os.Create(filepath.Join(b.work, name+".log"))
	if err != nil {
		return nil, fmt.Errorf("keep what it says: %w", err)
	}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	s := &side{name: name, addr: addr, pid: cmd.Process.Pid}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is ended by a signal
		close(ended)
	}()
	s.stop = func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
		select {
		case <-ended:
		case <-time.After(stopWithin):
			_ = cmd.Process.Kill()
			<-ended
		}
		return log.Close()
	}
	limited, cancel := context.WithTimeout(ctx, startsWithin)
	defer cancel()
	for {
		err := s.call(limited, "ListQueues", map[string]any{}, nil)
		if err == nil {
			return s, nil
		}
		if realfault.Pause(limited, 50*time.Millisecond) != nil {
			return nil, errors.Join(fmt.Errorf("it did not answer within %v: %w", startsWithin, err), s.stop())
		}
	}
}
