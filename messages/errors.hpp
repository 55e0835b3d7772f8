// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace eventweft {

/// What went wrong, as a value that crosses actors, nodes and the HTTP edge.
/// Append only: the numbers travel between nodes.
enum class ec : uint8_t {
  none = 0,
  /// Input that is not well-formed; the message names field and place.
  malformed = 1,
  /// No credentials, or a signature or token that does not hold.
  unauthorized = 2,
  /// Known, but not allowed to do this.
  forbidden = 3,
  not_found = 4,
  method_not_allowed = 5,
  /// The peer took longer than its limit.
  timed_out = 6,
  too_large = 7,
  unsupported_media_type = 8,
  /// Well-formed but not valid.
  unprocessable = 9,
  too_many_requests = 10,
  /// A queue is full or a part is restarting: try again later.
  overloaded = 11,
  /// The store does not answer; nothing about the request itself is wrong.
  store_unavailable = 12,
  /// The disk under the store or the spool is full, or the spool's limit is
  /// reached.
  store_full = 13,
  /// The store refuses this row for what it contains; others go on.
  row_refused = 14,
  /// Stored bytes that fail their check.
  corrupt = 15,
  /// The schema is newer than this binary knows, or could not be migrated.
  schema_mismatch = 16,
  /// Something with that name or state is already there.
  conflict = 17,
  /// The program is stopping.
  shutting_down = 18,
  /// A configuration that cannot be used; the message names file, line, key.
  bad_configuration = 19,
  /// A broken invariant or an exception that no code of ours expected.
  internal = 20,
  /// Another node owns this piece of work by now; what was to be written for
  /// it was not.
  not_owner = 21,
  /// What was to be changed is not what it was when it was read; nothing was
  /// written.
  outdated = 22,
};

/// The name of `code` as it appears in logs, metrics and `problem+json`
/// (`"store_unavailable"`).
std::string_view to_string(ec code) noexcept;

/// A code for programs and a sentence for people.
struct error {
  ec code = ec::internal;
  std::string message;

  bool operator==(const error&) const = default;
};

/// "store_unavailable: connection refused".
std::string to_string(const error& e);

template <class T>
using expected = tl::expected<T, error>;

/// `return fail(ec::malformed, "…");` from a function that returns
/// `expected<T>`.
inline tl::unexpected<error> fail(ec code, std::string message) {
  return tl::unexpected<error>{error{code, std::move(message)}};
}

inline tl::unexpected<error> fail(error e) {
  return tl::unexpected<error>{std::move(e)};
}

} // namespace eventweft
