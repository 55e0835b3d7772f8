// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fixture.hpp"
#include "net/ports/access.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::net {

/// Keys and the audit trail in memory.
class fake_access final : public access_port {
 public:
  fake_access(const clock& time, random_source& random)
      : time_(time), random_(random) {}

  /// To be called once, before the server starts.
  void open(auth::door_options options) {
    door_ = std::make_unique<auth::doorkeeper>(options, ring_, time_, random_);
    door_->keys_are_known();
  }
  static auth::door_options unlimited() {
    auth::door_options out;
    out.keys.per_second = out.addresses.per_second = out.webhooks.per_second =
        out.failures.per_second = 0;
    return out;
  }

  /// `Authorization: Bearer …`, with its line end.
  std::string header(std::string_view scopes, std::string_view source = {}) {
    return "Authorization: Bearer " + key(scopes, source).text + "\r\n";
  }
  auth::new_api_key key(std::string_view scopes, std::string_view source = {},
                        std::optional<timestamp> end = {}) {
    auth::api_key wanted;
    wanted.scopes = *auth::parse_scopes(scopes);
    wanted.expires_at = end;
    if (!source.empty()) {
      wanted.forced.emplace();
      wanted.forced->source_names = {std::string{source}};
    }
    auto made = auth::make_api_key(wanted, time_.now(), random_);
    ring_->add(made.record);
    return made;
  }
  void revoke(const std::string& id) {
    static_cast<void>(ring_->revoke(id, time_.now()));
    door_->tell_revoked();
  }
  std::vector<auth::audit_entry> entries() const {
    const std::lock_guard lock{mutex_};
    return entries_;
  }

  auth::doorkeeper& door() noexcept override { return *door_; }
  bool shares_tickets() const noexcept override { return shared != nullptr; }
  void issue_ticket(const auth::principal& who, std::string_view stream,
                    reply_to<std::string> reply) override {
    if (!shared)
      return access_port::issue_ticket(who, stream, std::move(reply));
    reply(shared->issue(who, stream));
  }
  void redeem_ticket(std::string_view ticket, std::string_view stream,
                     reply_to<auth::principal> reply) override {
    ++redeemed;
    reply(shared->redeem(ticket, stream));
  }
  void create_key(auth::api_key wanted,
                  reply_to<auth::new_api_key> reply) override {
    auto made = auth::make_api_key(std::move(wanted), time_.now(), random_);
    ring_->add(made.record);
    door_->tell_revoked();
    reply(std::move(made));
  }
  void list_keys(reply_to<std::vector<auth::api_key>> reply) override {
    reply(ring_->list());
  }
  void revoke_key(std::string id, reply_to<bool> reply) override {
    const bool known = ring_->revoke(id, time_.now()).has_value();
    door_->tell_revoked();
    reply(known);
  }
  bool can_record() const noexcept override { return recording; }
  void record(auth::audit_entry entry) override {
    const std::lock_guard lock{mutex_};
    entries_.push_back(std::move(entry));
  }
  void audit(auth::audit_query query,
             reply_to<std::vector<auth::audit_entry>> reply) override {
    auto all = entries();
    std::ranges::reverse(all);
    all.resize(std::min(all.size(), query.limit));
    reply(std::move(all));
  }

  std::atomic<bool> recording = true;
  /// The tickets of all nodes; null: there is one. To be set before the server
  /// starts.
  std::shared_ptr<auth::ticket_office> shared;
  std::atomic<int> redeemed = 0;

 private:
  const clock& time_;
  random_source& random_;
  std::shared_ptr<auth::key_ring> ring_ = std::make_shared<auth::key_ring>();
  std::unique_ptr<auth::doorkeeper> door_;
  mutable std::mutex mutex_;
  std::vector<auth::audit_entry> entries_;
};

/// A server whose door is locked.
class access_test : public server_test {
 protected:
  access_test() { backend_.access_ = &access_; }
  ~access_test() override {
    // The server goes before what it asks.
    running_.reset();
  }

  void start_locked(auth::door_options options = fake_access::unlimited()) {
    options.required = auth::door_options::mode::always;
    access_.open(options);
    start();
  }

  http_answer ask(const std::string& request) {
    auto c = connect();
    return c.ask(request);
  }

  fake_access access_{clock_, random_};
};

} // namespace eventweft::net
