// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/streams.hpp"
#include "persistence/subscriptions.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::testing {

/// What outlives the actors that use it. Of one thread.
struct memory_tables {
  std::map<std::string, stream_definition> streams;
  std::map<uuid, subscription_record> subscriptions;
  std::vector<delivery_attempt> attempts;
  /// Every call fails with this while it is set.
  std::optional<error> down;
  /// Called before a change is written, as if another node came first.
  std::function<void()> before_change;
  /// Reports with an older token than this are refused.
  int64_t token = 0;
  size_t saves = 0;
  /// How often all streams were read.
  size_t looks = 0;

  memory_tables() {
    for (auto& s : default_streams())
      streams.emplace(s.name, s);
  }

  std::vector<seq_t> delivered() const {
    std::vector<seq_t> out;
    for (const auto& a : attempts)
      if (a.status == delivery_attempt::state::delivered)
        out.push_back(a.event_seq);
    return out;
  }
};

class memory_subscriptions final : public subscription_store {
 public:
  explicit memory_subscriptions(std::shared_ptr<memory_tables> tables)
      : t_(std::move(tables)) {}

  expected<std::vector<stream_definition>> streams() override {
    ++t_->looks;
    if (t_->down)
      return fail(*t_->down);
    std::vector<stream_definition> out;
    for (const auto& [name, s] : t_->streams)
      out.push_back(s);
    return out;
  }

  expected<void> add_stream(const stream_definition& s) override {
    if (t_->down)
      return fail(*t_->down);
    if (!t_->streams.emplace(s.name, s).second)
      return fail(ec::conflict, "there is one");
    return {};
  }

  expected<void> change_stream(const stream_definition& s) override {
    if (auto ok = changeable(s.name); !ok)
      return ok;
    return write(t_->streams[s.name], s);
  }

  expected<void> drop_stream(std::string_view name) override {
    if (auto ok = changeable(std::string{name}); !ok)
      return ok;
    t_->streams.erase(std::string{name});
    std::erase_if(t_->subscriptions,
                  [&](const auto& x) { return x.second.what.stream == name; });
    return {};
  }

  expected<std::vector<subscription>> subscriptions() override {
    if (t_->down)
      return fail(*t_->down);
    std::vector<subscription> out;
    for (const auto& [id, r] : t_->subscriptions)
      out.push_back(r.what);
    return out;
  }

  expected<std::optional<subscription_record>>
  find_subscription(const uuid& id) override {
    if (t_->down)
      return fail(*t_->down);
    auto i = t_->subscriptions.find(id);
    return i == t_->subscriptions.end() ? std::nullopt
                                        : std::optional{i->second};
  }

  expected<void> add_subscription(const subscription_record& r) override {
    if (t_->down)
      return fail(*t_->down);
    t_->subscriptions.emplace(r.what.id, r);
    return {};
  }

  expected<void> change_subscription(const subscription& s) override {
    if (t_->down)
      return fail(*t_->down);
    auto i = t_->subscriptions.find(s.id);
    if (i == t_->subscriptions.end())
      return fail(ec::not_found, "none");
    return write(i->second.what, s);
  }

  expected<bool> drop_subscription(const uuid& id) override {
    if (t_->down)
      return fail(*t_->down);
    return t_->subscriptions.erase(id) != 0;
  }

  expected<std::vector<std::optional<error>>>
  save(std::span<const delivery_report> reports) override {
    if (t_->down)
      return fail(*t_->down);
    ++t_->saves;
    std::vector<std::optional<error>> out;
    for (const auto& r : reports) {
      if (r.proof.token < t_->token) {
        out.emplace_back(error{ec::not_owner, "another one's"});
        continue;
      }
      out.emplace_back();
      auto i = t_->subscriptions.find(r.subscription_id);
      if (i == t_->subscriptions.end())
        continue;
      i->second.progress = r.progress;
      if (!r.disabled_reason.empty()) {
        i->second.what.active = false;
        ++i->second.what.version;
        i->second.what.disabled_reason = r.disabled_reason;
      }
      t_->attempts.insert(t_->attempts.end(), r.attempts.begin(),
                          r.attempts.end());
    }
    return out;
  }

  expected<std::vector<delivery_attempt>>
  deliveries(const uuid& id, const uuid& before, size_t limit) override {
    if (t_->down)
      return fail(*t_->down);
    std::vector<delivery_attempt> out;
    for (auto i = t_->attempts.rbegin();
         i != t_->attempts.rend() && out.size() < limit; ++i)
      if (i->subscription_id == id && (before.is_nil() || i->id < before))
        out.push_back(*i);
    return out;
  }

 private:
  template <class T>
  expected<void> write(T& kept, const T& wanted) {
    // It may be the last time.
    if (const auto first = t_->before_change)
      first();
    if (kept.version != wanted.version)
      return fail(ec::outdated, "another one's");
    kept = wanted;
    ++kept.version;
    return {};
  }

  expected<void> changeable(const std::string& name) const {
    if (t_->down)
      return fail(*t_->down);
    auto i = t_->streams.find(name);
    if (i == t_->streams.end())
      return fail(ec::not_found, "none");
    if (i->second.built_in)
      return fail(ec::conflict, "built in");
    return {};
  }

  std::shared_ptr<memory_tables> t_;
};

} // namespace eventweft::testing
