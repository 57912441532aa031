// golden.go - what Go's runtime writes, for the readers of lib/model: go build -trimpath golden.go, golden FOLDER
package main

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"
)

var kept [][]byte

//go:noinline
func load(size int) []byte { return make([]byte, size) }

//go:noinline
func parse(count, size int) {
	for i := 0; i < count; i++ {
		kept = append(kept, load(size))
	}
}

//go:noinline
func spin(until time.Time) (sum int) {
	for time.Now().Before(until) {
		for i := 0; i < 100000; i++ {
			sum += i * i
		}
	}
	return sum
}

func create(name string) *os.File {
	file, err := os.Create(filepath.Join(os.Args[1], name))
	if err != nil {
		panic(err)
	}
	return file
}

func main() {
	cpu := create("go119_cpu.pb.gz")
	pprof.StartCPUProfile(cpu)
	spin(time.Now().Add(300 * time.Millisecond))
	pprof.StopCPUProfile()
	cpu.Close()

	parse(100, 1<<20)
	parse(5000, 1000)
	kept = kept[:50]
	runtime.GC()
	for name, debug := range map[string]int{"go119_heap.pb.gz": 0, "go119_heap.txt": 1} {
		file := create(name)
		pprof.Lookup("heap").WriteTo(file, debug)
		file.Close()
	}
}
