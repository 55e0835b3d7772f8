// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/ports/subscriptions.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::net {

/// Streams and subscriptions in memory; answers at once. Thread-safe.
class fake_subscriptions final : public subscriptions_port {
 public:
  fake_subscriptions() {
    add("all_events", "everything", {});
    filter issues;
    issues.event_types = {"issues"};
    add("issue_events", "issues only", issues);
  }

  /// While it is set, as if the store had not been read.
  std::optional<error> unread;

  expected<std::vector<stream_definition>> all_streams() const override {
    if (unread)
      return fail(*unread);
    std::lock_guard guard{mutex_};
    std::vector<stream_definition> out;
    for (const auto& [name, s] : streams_)
      out.push_back(s);
    return out;
  }

  void find_stream(std::string name,
                   reply_to<stream_definition> reply) override {
    reply(get(name));
  }

  expected<stream_definition> get(const std::string& name) const {
    std::lock_guard guard{mutex_};
    if (auto i = streams_.find(name); i != streams_.end())
      return i->second;
    if (unread)
      return fail(*unread);
    return fail(ec::not_found, "no stream has this name");
  }

  codec::stream_figures figures_of(const std::string&) const override {
    codec::stream_figures out;
    out.readers = 3;
    return out;
  }

  void create_stream(stream_definition s,
                     reply_to<stream_definition> reply) override {
    std::lock_guard guard{mutex_};
    if (!streams_.emplace(s.name, s).second)
      reply(fail(ec::conflict, "there is a stream " + s.name + " already"));
    else
      reply(s);
  }

  void change_stream(std::string name, stream_change c,
                     reply_to<stream_definition> reply) override {
    std::lock_guard guard{mutex_};
    auto i = streams_.find(name);
    if (i == streams_.end()) {
      reply(fail(ec::not_found, "no stream has this name"));
      return;
    }
    if (c.filter)
      i->second.filter = *c.filter;
    reply(i->second);
  }

  void delete_stream(std::string name, reply_to<bool> reply) override {
    std::lock_guard guard{mutex_};
    if (streams_.erase(name) == 0)
      reply(fail(ec::not_found, "no stream has this name"));
    else
      reply(true);
  }

  void list_subscriptions(std::string,
                          reply_to<subscription_views> reply) override {
    std::lock_guard guard{mutex_};
    subscription_views out;
    for (const auto& [id, s] : subscriptions_)
      out.items.push_back({s, {}, {}});
    reply(std::move(out));
  }

  void find_subscription(std::string, uuid id,
                         reply_to<subscription_view> reply) override {
    with(id, reply, [&](const subscription& s) {
      reply(subscription_view{s, {}, {}, {}});
    });
  }

  void create_subscription(new_subscription n,
                           reply_to<subscription_view> reply) override {
    std::lock_guard guard{mutex_};
    n.what.id.bytes[15] = ++last_;
    subscriptions_.emplace(n.what.id, n.what);
    since = n.since;
    reply(subscription_view{n.what, {}, {}, "whsec_once"});
  }

  void change_subscription(std::string, uuid id, subscription_change c,
                           reply_to<subscription_view> reply) override {
    with(id, reply, [&](subscription& s) {
      s.active = c.active.value_or(s.active);
      reply(subscription_view{s, {}, {}, {}});
    });
  }

  void delete_subscription(std::string, uuid id,
                           reply_to<bool> reply) override {
    std::lock_guard guard{mutex_};
    if (subscriptions_.erase(id) == 0)
      reply(fail(ec::not_found, "none"));
    else
      reply(true);
  }

  void test_subscription(std::string, uuid id,
                         reply_to<delivery_test> reply) override {
    with(id, reply, [&](const subscription&) {
      reply(delivery_test{true, 200, "ok", "", 0.5});
    });
  }

  void replay_subscription(std::string, uuid id, replay_request r,
                           reply_to<replay_answer> reply) override {
    with(id, reply, [&](const subscription&) {
      reply(replay_answer{
          1, 9, r.dry_run ? std::optional<int64_t>{4} : std::nullopt});
    });
  }

  void deliveries(std::string, uuid id, uuid before, size_t limit,
                  reply_to<delivery_list> reply) override {
    with(id, reply, [&](const subscription&) {
      delivery_list out;
      for (uint8_t n = before.is_nil() ? 5 : before.bytes[15]; n-- > 0;) {
        if (out.attempts.size() == limit)
          break;
        delivery_attempt a;
        a.id.bytes[15] = n;
        out.attempts.push_back(a);
      }
      reply(std::move(out));
    });
  }

  start_point since;

 private:
  void add(const std::string& name, const std::string& text, filter f) {
    streams_.emplace(
        name, stream_definition{name, text, std::move(f), true, timestamp{}});
  }

  template <class Reply, class Use>
  void with(const uuid& id, Reply& reply, Use use) {
    std::lock_guard guard{mutex_};
    auto i = subscriptions_.find(id);
    if (i == subscriptions_.end())
      reply(fail(ec::not_found, "this stream has no such subscription"));
    else
      use(i->second);
  }

  mutable std::mutex mutex_;
  std::map<std::string, stream_definition> streams_;
  std::map<uuid, subscription> subscriptions_;
  uint8_t last_ = 0;
};

} // namespace eventweft::net
