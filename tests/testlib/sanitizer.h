// Whether the tests, and the programs that they run, are built with a sanitizer. It keeps freed
// memory and finds leaks by itself: resident memory says nothing then.
#pragma once

namespace noded::testlib {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kHasSanitizer = true;
#else
inline constexpr bool kHasSanitizer = false;
#endif

}  // namespace noded::testlib
