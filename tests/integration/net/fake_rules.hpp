// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/ports/rules.hpp"

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::net {

/// Rules in memory, one of them built in; answers at once. Thread-safe.
class fake_rules final : public rules_port {
 public:
  fake_rules() {
    correlation::rule_state r;
    r.name = "github";
    r.origin = correlation::rule_origin::built_in;
    rules_.emplace(r.name, r);
  }

  std::vector<correlation::rule_state> rules() const override {
    std::lock_guard guard{mutex_};
    std::vector<correlation::rule_state> out;
    for (const auto& [name, r] : rules_)
      out.push_back(r);
    return out;
  }

  void set(correlation::declarative_rule rule,
           reply_to<set_rule> reply) override {
    std::lock_guard guard{mutex_};
    const auto found = rules_.find(rule.name);
    if (found != rules_.end() &&
        found->second.origin == correlation::rule_origin::built_in) {
      reply(fail(ec::conflict, rule.name + " is built in"));
      return;
    }
    set_rule out;
    out.is_new = found == rules_.end();
    out.rule.name = rule.name;
    out.rule.origin = correlation::rule_origin::store;
    out.rule.definition = std::move(rule);
    rules_.insert_or_assign(out.rule.name, out.rule);
    reply(std::move(out));
  }

  void drop(std::string name, reply_to<bool> reply) override {
    std::lock_guard guard{mutex_};
    const auto found = rules_.find(name);
    if (found == rules_.end()) {
      reply(fail(ec::not_found, "no correlation rule has this name"));
    } else if (found->second.origin == correlation::rule_origin::built_in) {
      reply(fail(ec::conflict, name + " is built in"));
    } else {
      rules_.erase(found);
      reply(true);
    }
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, correlation::rule_state> rules_;
};

} // namespace eventweft::net
