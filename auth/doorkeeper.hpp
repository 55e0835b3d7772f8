// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auth/authenticator.hpp"
#include "auth/limiter.hpp"
#include "auth/tickets.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft::auth {

/// What a route asks of whoever calls it. Each route has one; there is no
/// default.
enum class needs : uint8_t {
  /// Nobody has decided yet: refused to everybody.
  undecided = 0,
  /// Anybody, without any limit: probes.
  nothing,
  /// Anybody; the body's own proof decides: webhooks.
  signature,
  /// The scope `ingest`.
  ingest,
  /// The scope `read`, for what shows the log as a whole: refused to whoever
  /// carries a forced filter.
  read,
  /// The scope `read`, for what gives no more than `visible_to` the caller.
  visible,
  /// The scope `stream:NAME`.
  stream,
  /// Credentials that hold, of whatever scope.
  anybody,
  manage,
  admin,
};

/// "ingest", "read", …
std::string_view to_string(needs n) noexcept;

/// Whether calls of that kind belong into the audit trail.
constexpr bool is_audited(needs n) noexcept {
  return n == needs::manage || n == needs::admin;
}

/// One request at the door.
struct visit {
  needs what = needs::undecided;
  /// For `needs::stream`.
  std::string_view stream;
  /// The value of `Authorization`.
  std::string_view authorization;
  /// From the query; looked at for `needs::ingest` without `authorization`.
  std::string_view access_token;
  /// From the query; looked at for `needs::stream`, before `authorization`.
  std::string_view ticket;
  /// What that is worth, where it is not kept here; null: it is.
  const expected<principal>* redeemed = nullptr;
  std::string_view address;
};

/// Why somebody is not let in.
struct refusal {
  error why;
  /// For metrics: "missing", "invalid", "ticket", "scope", "rate", …
  std::string_view reason;
  /// For `too_many_requests`.
  std::optional<std::chrono::seconds> retry_after;
  /// Whoever has shown who they are, and may not do this.
  std::optional<principal> who;
};

using admission = tl::expected<principal, refusal>;

struct door_options {
  enum class mode : uint8_t { automatic, always, never };
  /// `automatic`: once there is a key, or tokens can be verified.
  mode required = mode::automatic;
  /// Whether `POST /events` may also be proven to its platform, with a secret
  /// of its own.
  bool ingest_proves_itself = false;
  ticket_options tickets;
  limit_options keys;
  limit_options addresses;
  limit_options webhooks;
  limit_options failures;
};

/// Decides who comes in: one place for credentials, tickets, scopes and rate
/// limits. Knows neither HTTP nor a store; answers from memory. Thread-safe.
class doorkeeper {
 public:
  /// `time` and `random` outlive it.
  doorkeeper(door_options options, std::shared_ptr<key_ring> keys,
             const clock& time, random_source& random);

  /// Whoever may come in, and as who. While nothing is required that is
  /// `everyone`, unless they show credentials that hold.
  admission admit(const visit& v);

  /// To be asked before a ticket is looked for elsewhere: why its address may
  /// ask for nothing more right now. `admit` counts such a visit no second
  /// time.
  std::optional<refusal> knock(const visit& v);

  /// Turns away a webhook from `address` whose proof did not hold, for the
  /// reason `why`; once there were too many, with `too_many_requests`. Proofs
  /// that hold are let in all the same: senders may share an address.
  refusal unproven(std::string_view address, error why);

  /// A ticket for `stream`, see `ticket_office::issue`.
  expected<std::string> issue(const principal& who, std::string_view stream) {
    return tickets_.issue(who, stream);
  }
  std::chrono::seconds ticket_lifetime() const noexcept {
    return tickets_.lifetime();
  }

  /// Whether anybody has to show credentials. Never turns back to false.
  bool enforced() const;

  /// Nobody ever has to, whatever keys there are.
  bool switched_off() const noexcept {
    return options_.required == door_options::mode::never;
  }

  key_ring& keys() noexcept { return *keys_; }

  /// From now on tokens are verified with these.
  void replace_tokens(std::shared_ptr<const jwt_verifier> tokens);

  /// The keys were read from where they are kept. Until then, nobody knows
  /// whether some are required: `automatic` lets nobody in.
  void keys_are_known() noexcept { known_ = true; }

  /// Whether who came in on that is still somebody; `unauthorized` says why
  /// not, `forbidden` that the API key was revoked.
  expected<void> alive(const standing& in) const;

  /// `f` is called whenever somebody who is in may be nobody by now, on the
  /// thread that found out, and must return at once. One at a time; empty:
  /// nobody.
  void on_revoked(std::function<void()> f);
  void tell_revoked();

 private:
  admission enter(principal who, const visit& v, timestamp now);
  admission identify(const visit& v, timestamp now);
  admission turn_away(std::string_view address, error why,
                      std::string_view reason, timestamp now);

  const door_options options_;
  std::shared_ptr<key_ring> keys_;
  const clock& time_;
  authenticator authenticator_;
  ticket_office tickets_;
  request_limiter key_limit_;
  request_limiter address_limit_;
  request_limiter webhook_limit_;
  request_limiter failure_limit_;
  std::atomic<bool> known_ = false;
  std::atomic<bool> has_tokens_ = false;
  mutable std::atomic<bool> latched_ = false;
  std::mutex mutex_;
  std::function<void()> revoked_;
};

} // namespace eventweft::auth
