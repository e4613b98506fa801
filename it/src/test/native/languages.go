// The Go of LanguagesIT, -buildmode=c-shared: goroutines on stacks that move, collections that walk them, faults that become panics.
package main

// typedef long j;
import "C"

import (
	"fmt"
	"runtime"
	"sort"
	"sync/atomic"
)

var leaves int64

type node struct {
	next  *node
	value int64
}

//go:noinline
func leaf(i int64) int64 {
	atomic.AddInt64(&leaves, 1)
	return i*3 + 1
}

// Its frames outgrow a new goroutine's stack, which is then copied.
//
//go:noinline
func recursion(n int64) int64 {
	var buffer [64]int64
	if n == 0 {
		return leaf(7)
	}
	buffer[n%64] = n
	return recursion(n-1) + buffer[n%64]
}

//go:noinline
func list(n int64) int64 {
	var head *node
	for i := int64(0); i < n; i++ {
		head = &node{head, leaf(i)}
	}
	sum := int64(0)
	for ; head != nil; head = head.next {
		sum += head.value
	}
	return sum
}

//go:noinline
func recovered() (result int64) {
	defer func() {
		if recover() != nil {
			result = 42
		}
	}()
	var none *node
	return none.value
}

//export Java_uprobe_it_app_Languages_work
func Java_uprobe_it_app_Languages_work(env uintptr, class uintptr, n C.j) C.j {
	sums := make(chan int64)
	for i := int64(0); i < 4; i++ {
		go func(n int64) {
			values := make([]int, 1000)
			for k := range values {
				values[k] = k * 7919 % 1009
			}
			sort.Ints(values)
			sums <- recursion(200+n%100) + list(1000) + int64(len(fmt.Sprint(values))) + recovered()
		}(int64(n) + i)
	}
	sum := recovered()
	for i := 0; i < 4; i++ {
		sum += <-sums
	}
	if n%3 == 0 {
		runtime.GC()
	}
	return C.j(sum & 0x7fffffff)
}

//export Java_uprobe_it_app_Languages_leaves
func Java_uprobe_it_app_Languages_leaves(env uintptr, class uintptr) C.j {
	return C.j(atomic.LoadInt64(&leaves))
}

func main() {}
