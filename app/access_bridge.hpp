// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/shared_tickets.hpp"
#include "auth/jwt.hpp"
#include "config/file_watch.hpp"
#include "config/settings.hpp"
#include "net/ports/access.hpp"
#include "persistence/store.hpp"
#include "telemetry/log.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace eventweft {

struct access_options {
  config::auth_settings auth;
  config::limit_settings limits;
  /// `POST /events` may be proven to its platform as well.
  bool ingest_proves_itself = false;
  /// Tickets are kept in the store, for all nodes, if that can do so.
  bool share_tickets = false;
  /// How long the audit trail is kept; nothing: for ever.
  std::optional<std::chrono::seconds> keep_audit;
  /// How often the store is asked whether keys have changed, and files are
  /// looked at.
  std::chrono::milliseconds interval{1'000};
  /// How often uses of keys are written down.
  std::chrono::milliseconds note_interval{30'000};
};

/// What JSON Web Tokens are verified with by `[auth]`; empty if there are none.
/// `bad_configuration` names the key.
expected<std::vector<auth::jwt_key>>
read_jwt_keys(const config::auth_settings& settings);

/// Access control as the server has it: the door with its keys in memory, kept
/// like those in the store; token keys kept like their file; the audit trail.
/// Everything that blocks is done on a thread and a connection of its own.
/// Thread-safe.
class access_bridge final : public net::access_port {
 public:
  /// Throws nothing and connects to nothing yet. `time` and `random` outlive
  /// it.
  access_bridge(store_ptr store, access_options options, const clock& time,
                random_source& random, logger_ptr log);
  /// Writes down what is queued, if the store answers.
  ~access_bridge() override;
  access_bridge(const access_bridge&) = delete;
  access_bridge& operator=(const access_bridge&) = delete;

  /// Reads keys and token keys for the first time, then keeps them up to date.
  /// A store that is away is no error: until it is back, nobody knows the keys.
  /// `bad_configuration` for token keys that can't be used.
  expected<void> start();

  /// Keys have changed, says somebody: they are read again now.
  void refresh();
  /// A key was revoked, says somebody who has it from the store: from now on
  /// it opens nothing here, and its streams end, whether or not the store
  /// answers.
  void revoked(std::string_view id);
  /// `f` is told the id of each key that was made or revoked here. To be set
  /// before the server starts.
  void on_change(std::function<void(const std::string& id, bool revoked)> f);
  /// Called every `interval` on our thread, for what else has to be looked at.
  /// To be set before `start`.
  void at_intervals(std::function<void()> f) { also_ = std::move(f); }

  auth::doorkeeper& door() noexcept override { return door_; }
  bool shares_tickets() const noexcept override { return tickets_ != nullptr; }
  void issue_ticket(const auth::principal& who, std::string_view stream,
                    net::reply_to<std::string> reply) override;
  void redeem_ticket(std::string_view ticket, std::string_view stream,
                     net::reply_to<auth::principal> reply) override;
  void create_key(auth::api_key wanted,
                  net::reply_to<auth::new_api_key> reply) override;
  void list_keys(net::reply_to<std::vector<auth::api_key>> reply) override;
  void revoke_key(std::string id, net::reply_to<bool> reply) override;
  bool can_record() const noexcept override;
  void record(auth::audit_entry entry) override;
  void audit(auth::audit_query query,
             net::reply_to<std::vector<auth::audit_entry>> reply) override;

 private:
  using job = std::function<void(credential_store&)>;
  using steady = std::chrono::steady_clock;

  template <class T>
  void put(net::reply_to<T> reply,
           std::function<expected<T>(credential_store&)> work);
  void run(const std::stop_token& stop);
  void take_jobs();
  expected<void> read_keys(bool always);
  expected<void> read_token_keys();
  void write_audit();
  void note_uses();
  void trim_audit();
  void changed(const std::string& id, bool revoked);
  /// With the lock held.
  void wake();
  /// Logs the first failure in a row.
  bool worked(const char* what, const error* failure);

  const access_options options_;
  const clock& time_;
  random_source& random_;
  logger_ptr log_;
  std::shared_ptr<auth::key_ring> ring_ = std::make_shared<auth::key_ring>();
  auth::doorkeeper door_;
  std::unique_ptr<credential_store> books_;
  /// Null: they are this process's own, in `door_`.
  std::unique_ptr<shared_tickets> tickets_;
  config::file_watch token_file_;
  int64_t version_ = -1;
  bool failing_ = false;
  steady::time_point next_note_;
  steady::time_point next_trim_;
  std::function<void()> also_;

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<job> jobs_;
  std::deque<auth::audit_entry> entries_;
  std::function<void(const std::string&, bool)> on_change_;
  bool woken_ = false;
  std::atomic<size_t> unwritten_ = 0;
  /// Last: it uses all of the above.
  std::jthread thread_;
};

} // namespace eventweft
