// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/cluster/membership.hpp"
#include "persistence/nodes.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace eventweft::testing {

/// The database that nodes share, in virtual time.
struct shared_nodes {
  using nanoseconds = std::chrono::nanoseconds;
  struct lease {
    std::string owner;
    int64_t token = 0;
    nanoseconds until{0};
  };
  struct row {
    node_record node;
    nanoseconds beat{0};
  };

  nanoseconds now{std::chrono::hours{1}};
  int64_t tokens = 0;
  std::map<std::string, row> rows;
  std::map<std::string, lease> leases;

  bool fence_holds(const fence& f) const {
    const auto i = leases.find(f.work);
    return i != leases.end() && i->second.token == f.token;
  }
};

/// One node's line to it, which can be cut.
class fake_nodes : public store_nodes {
 public:
  explicit fake_nodes(std::shared_ptr<shared_nodes> db) : db_(std::move(db)) {}

  bool cut = false;

  expected<uuid> store_id() override { return uuid{{1}}; }

  expected<std::vector<node_record>>
  beat(const node_record& me, std::chrono::milliseconds dead_after) override {
    if (cut)
      return away();
    auto& r = db_->rows[me.name];
    if (!r.node.name.empty() && r.node.incarnation != me.incarnation &&
        r.node.state != node_state::left &&
        db_->now - r.beat < r.node.dead_after.value_or(dead_after))
      return fail(ec::conflict, "another node of that name");
    r = {me, db_->now};
    r.node.dead_after = dead_after;
    return all();
  }

  expected<std::vector<node_record>> all() override {
    if (cut)
      return away();
    std::vector<node_record> out;
    for (const auto& [name, other] : db_->rows) {
      out.push_back(other.node);
      out.back().silent = std::chrono::duration_cast<std::chrono::milliseconds>(
          db_->now - other.beat);
    }
    return out;
  }

  expected<std::vector<fence>> claim(const std::string& owner,
                                     const std::vector<std::string>& works,
                                     std::chrono::milliseconds ttl) override {
    if (cut)
      return away();
    std::vector<fence> out;
    for (const auto& work : works) {
      auto& l = db_->leases[work];
      if (l.owner != owner) {
        if (l.token != 0 && l.until > db_->now)
          continue;
        l.owner = owner;
        l.token = ++db_->tokens;
      }
      l.until = db_->now + ttl;
      out.push_back({work, l.token});
    }
    return out;
  }

  expected<void> release(const std::string& owner,
                         const std::vector<std::string>& works) override {
    if (cut)
      return away();
    for (const auto& work : works)
      if (auto& l = db_->leases[work]; l.owner == owner) {
        l.owner.clear();
        l.until = db_->now;
      }
    return {};
  }

  expected<void> leave(const node_record& me) override {
    if (cut)
      return away();
    for (auto& [work, l] : db_->leases)
      if (l.owner == me.owner()) {
        l.owner.clear();
        l.until = db_->now;
      }
    db_->rows[me.name].node.state = node_state::left;
    return {};
  }

  expected<std::vector<lease_record>> leases() override {
    if (cut)
      return away();
    std::vector<lease_record> out;
    for (const auto& [work, l] : db_->leases)
      if (!l.owner.empty() && l.until > db_->now)
        out.push_back({work, l.owner, l.token,
                       std::chrono::duration_cast<std::chrono::milliseconds>(
                           l.until - db_->now)});
    return out;
  }

  expected<void> forget_leases(std::chrono::milliseconds age) override {
    if (cut)
      return away();
    std::erase_if(db_->leases, [&](const auto& entry) {
      return entry.second.until < db_->now - age;
    });
    return {};
  }

  expected<void> forget_nodes(std::chrono::milliseconds age) override {
    if (cut)
      return away();
    std::erase_if(db_->rows, [&](const auto& entry) {
      return entry.second.beat < db_->now - age;
    });
    return {};
  }

  expected<void> ring(const std::string&) override { return {}; }

 private:
  static tl::unexpected<error> away() {
    return fail(ec::store_unavailable, "cut off");
  }

  std::shared_ptr<shared_nodes> db_;
};

} // namespace eventweft::testing
