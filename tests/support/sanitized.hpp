// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace eventweft {

/// Whether this program runs under a sanitizer, which keeps freed memory,
/// surrounds what is used, and takes its time. GCC says it one way, clang the
/// other.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#else
inline constexpr bool sanitized = false;
#endif

} // namespace eventweft
