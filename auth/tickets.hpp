// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auth/principal.hpp"
#include "messages/errors.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace eventweft::auth {

struct ticket_options {
  std::chrono::seconds lifetime{30};
  /// Outstanding at once.
  size_t capacity = 10'000;
  /// Of those, for one principal.
  size_t per_principal = 100;
};

/// What is kept of a ticket. The ticket itself is not among it.
struct kept_ticket {
  /// SHA-256 of its text, in hexadecimal.
  std::string hash;
  std::string stream;
  /// Whose it counts as: kind and id.
  std::string owner;
  /// Who comes with it.
  principal bearer;

  bool operator==(const kept_ticket&) const = default;
};

struct new_ticket {
  kept_ticket record;
  /// `ewt_…`; shown once.
  std::string text;
};

/// A ticket for `stream`, with which the bearer is `who`, cut down to it.
/// `forbidden` if `who` may not follow it or came with a ticket. Not kept yet.
expected<new_ticket> write_ticket(const principal& who, std::string_view stream,
                                  timestamp now, random_source& random);

/// By which `ticket` is kept; empty for what can't be one.
std::string ticket_hash(std::string_view ticket);

/// Whoever comes with a ticket that was made with these credentials.
principal ticket_bearer(principal who, std::string_view stream);

/// `unauthorized`; the reason does not say why.
error ticket_refused();

/// Who comes with `taken` to `stream` now; `ticket_refused` if it is for
/// another stream or was made with credentials that have expired.
expected<principal> bearer_for(kept_ticket taken, std::string_view stream,
                               timestamp now);

/// Tickets for browsers, whose WebSocket and EventSource can't send an
/// `Authorization` header: what stands in a URL ends up in logs and histories,
/// so it is good for one stream, once, and for a few seconds. Kept as hashes.
/// Thread-safe.
class ticket_office {
 public:
  /// `time` and `random` outlive it.
  ticket_office(ticket_options options, const clock& time,
                random_source& random);

  /// As `write_ticket`; `too_many_requests` if they have too many outstanding,
  /// `overloaded` if everybody has.
  expected<std::string> issue(const principal& who, std::string_view stream);

  /// Takes it: whatever comes of it, it is gone. `unauthorized` if it is not
  /// known, has been used, has expired or is for another stream; the reason
  /// does not say which.
  expected<principal> redeem(std::string_view ticket, std::string_view stream);

  std::chrono::seconds lifetime() const noexcept { return options_.lifetime; }
  size_t outstanding() const;

 private:
  struct entry {
    kept_ticket kept;
    timestamp until;
  };
  using table = std::map<std::string, entry>;

  void remove(table::iterator it);
  void drop_expired(timestamp now);

  const ticket_options options_;
  const clock& time_;
  random_source& random_;
  mutable std::mutex mutex_;
  table tickets_; // by hash
  std::set<std::pair<timestamp, std::string>> by_end_;
  std::map<std::string, size_t> held_;
};

} // namespace eventweft::auth
