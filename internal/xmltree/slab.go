package xmltree

// A slab hands out parts of larger allocations.
type slab[T any] struct {
	free []T
	left int // how many more are expected; below zero when it was too few
}

// chunk bounds what a wrong expectation can waste.
const chunk = 1024

// take returns n zero values whose capacity is n, so that appending to them
// never reaches a neighbour.
func (s *slab[T]) take(n int) []T {
	if n > len(s.free) {
		if n > chunk/4 {
			return make([]T, n)
		}
		size := s.left
		if size <= 0 {
			size = -s.left // beyond the expectation: as many again
		}
		s.free = make([]T, max(n, 8, min(size, chunk)))
	}
	out := s.free[:n:n]
	s.free = s.free[n:]
	s.left -= n
	return out
}
