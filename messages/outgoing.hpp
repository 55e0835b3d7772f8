// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What leaves this hub over HTTP, as plain data, and the interface behind
/// which the sockets are. `net/outgoing/client.hpp` is the real one.
namespace eventweft::outgoing {

using header_list = std::vector<std::pair<std::string, std::string>>;

/// What is delivered once more has it: when that was asked for. Queues that
/// drop repeats by the message's id tell a replay from a retry by it.
inline constexpr std::string_view replay_header = "eventweft-replay";

/// One POST. `Host`, `Content-Length` and, unless given, `User-Agent` are the
/// sender's business.
struct request {
  /// `http://` or `https://`, without user and password.
  std::string url;
  header_list headers;
  shared_text body;
  /// From the call to the last byte of the answer.
  std::chrono::milliseconds total_timeout{15'000};
  /// Of that, for looking up the name, connecting and the TLS handshake.
  std::chrono::milliseconds connect_timeout{5'000};
  /// How much of the answer's body is handed back, in bytes.
  size_t keep_body_bytes = 4u << 10;
  /// How much of it is read at most; what is longer is cut off there and the
  /// connection is closed.
  size_t max_body_bytes = 64u << 10;
};

/// The peer answered; any status, 3xx included, for no redirect is followed.
struct response {
  int status = 0;
  header_list headers;
  /// The first bytes of the body, as they came; may be no text at all.
  std::string body;
  /// The body was longer than what `body` has.
  bool body_cut = false;
  /// From the call to the end of the answer.
  std::chrono::microseconds duration{0};

  /// The first header of that name in any case; empty if there is none.
  std::string_view header(std::string_view name) const noexcept;
};

/// Why there is no answer. Append only: the numbers are stored.
enum class failure_kind : uint8_t {
  /// The URL or a header can't be used.
  bad_request = 0,
  /// The host is, or its name leads to, an address that must not be reached.
  address_refused = 1,
  /// The name could not be looked up.
  resolve = 2,
  connect = 3,
  /// No TLS, or a certificate that does not hold.
  tls = 4,
  timed_out = 5,
  /// The connection broke, or what came was not HTTP.
  protocol = 6,
  /// More at once than this client takes.
  overloaded = 7,
  shutting_down = 8,
};

/// "address_refused", …
std::string_view to_string(failure_kind kind) noexcept;

struct failure {
  failure_kind kind = failure_kind::protocol;
  /// A sentence for people; holds no header and no body.
  std::string message;
  std::chrono::microseconds duration{0};
};

using result = tl::expected<response, failure>;

/// Sends requests. Thread-safe.
class poster {
 public:
  virtual ~poster() = default;

  /// Sends `what` and calls `done` exactly once, on a thread of the poster's
  /// own (or, while it is being destroyed, on the destroying one). `done` must
  /// not block and not throw.
  virtual void post(request what, std::function<void(result)> done) = 0;

  /// Whether `url` may be a target: `unprocessable` with the reason if it is
  /// malformed or leads to an address that must not be reached, `not_found` if
  /// its name has no address now. Nothing is connected. `done` as above.
  virtual void check(std::string url,
                     std::function<void(expected<void>)> done) = 0;
};

} // namespace eventweft::outgoing
