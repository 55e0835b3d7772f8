// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <eventweft/export.hpp>

#include <stdexcept>
#include <string>

namespace eventweft {

/// What went wrong, for programs.
enum class Errc {
  /// Not JSON, or not of the form that is asked for; the message says where.
  malformed,
  /// Well-formed, but not valid: an unknown key, a name that can't be used.
  unprocessable,
  not_found,
  /// There is one of that name already, it is in the wrong state, or another
  /// process has the address or the spool.
  conflict,
  too_large,
  /// A queue is full or a part restarts: try again later.
  overloaded,
  /// The store does not answer, and there is no spool.
  store_unavailable,
  /// No room in the store or the spool.
  store_full,
  timed_out,
  /// The app was not started, or is stopped, or stops.
  not_running,
  /// The configuration can't be used; the message names place and key.
  bad_configuration,
  /// Not with this configuration: a webhook subscription without a store.
  not_supported,
  /// A fault in eventweft.
  internal,
};

/// "malformed", "not_running", …
EVENTWEFT_EXPORT const char* to_string(Errc code) noexcept;

/// The one type of exception that leaves the library (besides
/// `std::bad_alloc`). `what()` is a sentence for people.
class EVENTWEFT_EXPORT Error : public std::runtime_error {
 public:
  Error(Errc code, const std::string& what);
  Error(const Error&) noexcept = default;
  ~Error() override;

  Errc code() const noexcept { return code_; }

 private:
  Errc code_;
};

} // namespace eventweft
