// The knobs of the allocator, which Swift's Glibc module leaves out.
#include <malloc.h>
