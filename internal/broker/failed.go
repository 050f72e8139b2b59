package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ottla/internal/controller"
	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// What the broker tells the controller about its log directories. It is told
// from the loops, never from OnImage, which the controller waits for.

// Names of the settings.
const (
	failureTimeout = "log.dir.failure.timeout.ms"
	cordonedDirs   = "cordoned.log.dirs"
)

var errLost = errors.New("it is not among log.dirs")

// tellTimeout bounds how long the controller may take to hear of something that
// can wait for the next start.
const tellTimeout = 30 * time.Second

// dirFailed is called once for a directory that went offline: its partitions
// lose their leader, everything else goes on. Without the metadata log, or with
// a controller that does not hear of it, the node cannot.
func (b *Broker) dirFailed(ctx context.Context, d *log.Dir) {
	index := slices.Index(b.dirs, d)
	if index <= 0 {
		b.o.Fatal(fmt.Errorf("the log directory of the metadata failed: %w", d.Err()))
		return
	}
	me := b.Image().Broker(b.o.NodeID)
	if me == nil || len(b.o.Directories) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, b.o.View.Duration(b.Image(), failureTimeout))
	defer cancel()
	cmd := controller.FailDirectories{ID: me.ID, Epoch: me.Epoch, Directories: []uuid.UUID{b.o.Directories[index]}}
	if _, err := b.o.Control(ctx, cmd); err != nil && !b.stopped.Load() {
		b.o.Fatal(fmt.Errorf("the controller could not be told within %s that log directory %s failed: %w",
			failureTimeout, d.Path(), err))
	}
}

// TellDirectories has the controller note which directories are cordoned, and
// where the partitions lie that it has elsewhere or nowhere: once the node is
// registered.
func (b *Broker) TellDirectories(ctx context.Context) {
	b.registered.Store(true)
	b.tellCordons(ctx)
	for part := range slices.Chunk(b.wrongHomes(), mostTold) {
		b.tellHomes(ctx, part)
	}
}

// wrongHomes are the partitions that the metadata have elsewhere or nowhere.
func (b *Broker) wrongHomes() (wrong []*held) {
	if len(b.o.Directories) < 2 && !b.replaced.Load() {
		return nil
	}
	img := b.Image()
	for t := range img.Topics() {
		held := b.table.byID(t.ID)
		for _, p := range t.Partitions {
			if held == nil || int(p.Index) >= len(held.parts) || held.parts[p.Index] == nil {
				continue
			}
			h := held.parts[p.Index]
			named, ok := b.namedHome(p)
			if at := h.at.Load().index; at != lost && h.dir().Err() == nil && (!ok || named != at) {
				wrong = append(wrong, h)
			}
		}
	}
	return wrong
}

// Homes is the command that tells where partitions lie which the metadata have
// elsewhere or nowhere; false where there are none, or too many for one.
func (b *Broker) Homes() (controller.AssignDirectories, bool) {
	me, wrong := b.Image().Broker(b.o.NodeID), b.wrongHomes()
	if me == nil || len(b.o.Directories) == 0 || len(wrong) == 0 || len(wrong) > mostTold {
		return controller.AssignDirectories{}, false
	}
	return b.homesOf(me, wrong), true
}

// homesOf is the command for some partitions.
func (b *Broker) homesOf(me *metadata.Broker, hs []*held) controller.AssignDirectories {
	cmd := controller.AssignDirectories{ID: me.ID, Epoch: me.Epoch}
	for _, h := range hs {
		cmd.Partitions = append(cmd.Partitions, controller.DirectoryAssignment{
			TopicID: h.id.ID, Index: h.id.Partition, Directory: b.o.Directories[h.at.Load().index],
		})
	}
	return cmd
}

// mostTold bounds one command.
const mostTold = 5000

// tellHomes has the controller note in which directories partitions lie. What
// it does not learn now it learns at the next start.
func (b *Broker) tellHomes(ctx context.Context, hs []*held) {
	me := b.Image().Broker(b.o.NodeID)
	if me == nil || len(b.o.Directories) == 0 {
		return
	}
	cmd := b.homesOf(me, hs)
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	if _, err := b.o.Control(ctx, cmd); err != nil && !b.stopped.Load() {
		b.o.Logger.Warn("the controller does not know yet where partitions lie", "count", len(hs), "err", err)
	}
}

// cordonsChanged tells whether cordoned.log.dirs may have changed.
func cordonsChanged(changes []metadata.ConfigChange) bool {
	return slices.ContainsFunc(changes, func(c metadata.ConfigChange) bool { return c.Type == metadata.ResourceBroker })
}

// tellSoon wakes the loop that tells the controller.
func (b *Broker) tellSoon() {
	select {
	case b.news <- struct{}{}:
	default:
	}
}

// tellLoop tells the controller when something about the directories changes.
func (b *Broker) tellLoop(ctx context.Context) {
	for {
		select {
		case <-b.news:
			if b.registered.Load() {
				b.TellDirectories(ctx)
			}
		case <-b.stop:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (b *Broker) tellCordons(ctx context.Context) {
	me := b.Image().Broker(b.o.NodeID)
	if me == nil || len(b.o.Directories) == 0 {
		return
	}
	cmd := controller.CordonDirectories{ID: me.ID, Epoch: me.Epoch}
	for i, d := range b.dirs {
		if b.Cordoned(d) {
			cmd.Directories = append(cmd.Directories, b.o.Directories[i])
		}
	}
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	if _, err := b.o.Control(ctx, cmd); err != nil && !b.stopped.Load() {
		b.o.Logger.Warn("the controller does not know yet which log directories are cordoned", "err", err)
	}
}

// Cordoned tells whether a log directory takes no new replicas (KIP-1066).
func (b *Broker) Cordoned(d *log.Dir) bool {
	for name := range strings.SplitSeq(b.o.View.String(b.Image(), cordonedDirs), ",") {
		if name = strings.TrimSpace(name); name == "*" || name != "" && name == d.Path() {
			return true
		}
	}
	return false
}
