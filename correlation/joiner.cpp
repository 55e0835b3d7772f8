// SPDX-License-Identifier: Apache-2.0
#include "correlation/joiner.hpp"

#include "codec/json_text.hpp"
#include "correlation/join_batch.hpp"
#include "correlation/keys.hpp"
#include "correlation/rules/builtin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace eventweft::correlation {

namespace {

// A deployment of a named repository, found by its id alone as well.
bool is_short_name(const correlation_key& k) noexcept {
  return k.type.from == correlation_noun::deployment &&
         k.type.to == correlation_noun::deployment;
}

// Whoever opens a pull request or pushes a commit stands for the commit, as
// nobody else does.
bool owns(const correlation_key& k) noexcept {
  if (is_short_name(k))
    return true;
  // Whose the id is says the first that names a repository.
  if (is_bare_deployment(k.key))
    return false;
  return k.is_identity() || (k.type.to == correlation_noun::commit &&
                             (k.type.from == correlation_noun::pr ||
                              k.type.from == correlation_noun::commit) &&
                             !k.from_text);
}

class joiner {
 public:
  joiner(std::span<const join_input> events, const join_limits& limits,
         join_batch batch)
      : events_(events), limits_(limits), batch_(std::move(batch)) {}

  join_result run() {
    result_.threads.resize(events_.size());
    result_.parents.resize(events_.size());
    result_.changes.facts = batch_.facts.learned();
    for (size_t i = 0; i < events_.size(); ++i)
      link_event(i);
    for (auto& w : batch_.waiting)
      link_waiting(w);
    settle();
    result_.huge_keys.assign(huge_keys_.begin(), huge_keys_.end());
    return std::move(result_);
  }

 private:
  using node = thread_forest::node;
  using member = join_batch::member;

  // -- linking ----------------------------------------------------------------

  node node_of(member& m) {
    if (m.node != thread_forest::none)
      return m.node;
    m.node = batch_.forest.add_event(m.id);
    // Others may have named their thread by it before.
    if (batch_.any_ids) {
      const auto name = correlation_id_key(m.id);
      if (const auto at = batch_.keys.find(name); at != batch_.keys.end())
        reach(at->second.node, m, name, m.node);
    }
    return m.node;
  }

  not_linked link(member& m, const correlation_key& claim,
                  const std::string& name) {
    auto& key = batch_.keys[name];
    auto& count = claim.from_text ? key.mentions : key.links;
    const auto limit =
        claim.from_text ? limits_.max_mentions : limits_.max_links;
    // A pull request's text says the same with each of its events.
    const bool counts = !claim.from_text || !are_one(m, key);
    if (counts && count >= limit)
      return not_linked::hot_key;
    // Two sources gave one id: it stays that of the first.
    if (claim.is_identity() && is_global_event(name) && !key.owner.is_nil() &&
        key.owner != m.id)
      return not_linked::unsure;
    // The same for an id of deployments of two repositories.
    if (is_short_name(claim) && !key.owner.is_nil() && key.owner != m.id &&
        !are_one(m, key))
      return not_linked::unsure;
    node target = key.node;
    const auto id =
        target == thread_forest::none ? own_id_in(name) : std::nullopt;
    if (id)
      if (const auto found = batch_.named.find(*id);
          found != batch_.named.end())
        target = found->second;
    const bool stale =
        claim.window != 0 && key.known &&
        distance(m.at, key.last_seen) > std::chrono::seconds{claim.window};
    const node mine = node_of(m);
    if (id) {
      bring_in(*id, m, name, key, target);
      if (const auto here = batch_.here.find(*id); here != batch_.here.end())
        reach(batch_.members[here->second].node, m, name, target);
      // As somebody's thread and as somebody's cause it is one id.
      if (const auto other = batch_.keys.find(other_name_of(name, *id));
          other != batch_.keys.end())
        reach(other->second.node, m, name, target);
    }
    if (stale) {
      // A later use of the same name begins anew; an earlier one, come late,
      // stays by itself. So does one that only speaks of what has the name, and
      // a rule of somebody's own with a name that other rules find without a
      // window: they take it from nobody.
      const bool is_theirs =
          !owns(claim) &&
          (!key.owner.is_nil() ||
           (is_of_a_family(name) && !is_builtin_rule(claim.rule)));
      if (is_theirs || m.at < key.last_seen)
        return not_linked::unsure;
      key.node = mine;
    } else if (target == thread_forest::none) {
      key.node = mine;
      // A sender that names its thread finds it under that name.
      if (id && name.starts_with(correlation_family))
        batch_.forest.wish(mine, *id);
    } else {
      if (!batch_.forest.unite(mine, target, m.id, name)) {
        huge_keys_.insert(name);
        return not_linked::huge_thread;
      }
      key.node = target;
    }
    if (counts) {
      ++count;
      ++(claim.from_text ? key.new_mentions : key.new_links);
      if (count == limit)
        result_.hot_keys.push_back({name, claim.from_text});
    }
    key.last_seen = std::max(key.last_seen, m.at);
    if (owns(claim) && key.owner.is_nil())
      key.owner = key.new_owner = m.id;
    key.known = true;
    key.touched = true;
    return not_linked::none;
  }

  bool are_one(const member& m, const join_batch::key_state& key) {
    return m.node != thread_forest::none && key.node != thread_forest::none &&
           batch_.forest.are_one(m.node, key.node);
  }

  // What else a key leads to, besides `target`.
  void reach(node found, const member& m, const std::string& name,
             node& target) {
    if (target == thread_forest::none)
      target = found;
    else if (found != thread_forest::none &&
             !batch_.forest.unite(target, found, m.id, name))
      huge_keys_.insert(name);
  }

  // The event that a cause names, if it is stored and has no thread.
  void bring_in(const uuid& id, const member& m, const std::string& name,
                join_batch::key_state& key, node& target) {
    const auto found = batch_.loose.find(id);
    if (found == batch_.loose.end())
      return;
    auto& before = batch_.members[found->second];
    reach(node_of(before), m, name, target);
    if (!key.owner.is_nil())
      return;
    key.owner = key.new_owner = before.id;
    if (brought_in_.insert(before.id).second)
      result_.changes.links.push_back(
          {before.id, own_id_key(before.id), not_linked::none});
  }

  static std::chrono::microseconds distance(timestamp a, timestamp b) noexcept {
    return a > b ? a - b : b - a;
  }

  // No thread begins with an id that nobody named so far.
  bool is_own_id_of_nobody(const correlation_key& claim, const uuid& id) const {
    if (!claim.is_identity() || !claim.key.starts_with(event_family) ||
        uuid::parse(std::string_view{claim.key}.substr(event_family.size())) !=
            id)
      return false;
    const auto key = batch_.keys.find(claim.key);
    return key == batch_.keys.end() || !key->second.known;
  }

  void link_event(size_t i) {
    const std::string* known_cause = nullptr;
    for (const auto& claim : events_[i].keys) {
      if (claim.is_fact() || is_own_id_of_nobody(claim, batch_.members[i].id))
        continue;
      // An id is one of its own source first.
      if (is_cause(claim)) {
        if (known_cause && *known_cause == claim.field &&
            is_global_event(claim.key))
          continue;
        if (const auto key = batch_.keys.find(claim.key);
            key != batch_.keys.end() && !key->second.owner.is_nil())
          known_cause = &claim.field;
      }
      link_row row{events_[i].id, claim, not_linked::none};
      auto name = may_link(claim, limits_.threshold)
                      ? batch_.facts.resolve(claim)
                      : std::string{};
      if (!may_link(claim, limits_.threshold)) {
        row.why = not_linked::unsure;
      } else if (name.empty()) {
        row.why = not_linked::pending;
        result_.changes.pending.push_back(
            {claim.needs, events_[i].id, events_[i].at, claim});
      } else {
        if (events_[i].stored)
          waits_no_more(events_[i], claim);
        settle_claim(row.key, name);
        row.why = link(batch_.members[i], claim, name);
      }
      result_.changes.links.push_back(std::move(row));
    }
  }

  // It may have waited since it was stored, with what nobody knew then.
  void waits_no_more(const join_input& e, const correlation_key& claim) {
    if (!claim.needs.empty()) {
      result_.changes.resolved.push_back({claim.needs, e.id, e.at, claim});
    } else if (auto waited = as_it_waits(claim.key)) {
      auto before = claim;
      before.key = std::move(waited->second);
      result_.changes.resolved.push_back(
          {std::move(waited->first), e.id, e.at, std::move(before)});
    }
  }

  void link_waiting(join_batch::waiting_key& w) {
    link_row row{w.row.event, w.row.key, not_linked::none};
    settle_claim(row.key, w.resolved);
    row.why = link(batch_.members[w.member], w.row.key, w.resolved);
    result_.changes.links.push_back(std::move(row));
    result_.changes.resolved.push_back(std::move(w.row));
  }

  static void settle_claim(correlation_key& key, const std::string& name) {
    key.key = name;
    if (!key.needs.empty())
      key.confidence = 1;
    key.needs.clear();
  }

  // -- the outcome ------------------------------------------------------------

  void settle() {
    write_members();
    result_.changes.merges = batch_.forest.merges();
    for (const auto& [name, key] : batch_.keys)
      if (key.touched) {
        const auto thread = batch_.forest.thread_of(key.node);
        result_.changes.keys.push_back({name, thread, key.new_owner,
                                        key.new_links, key.new_mentions,
                                        key.last_seen});
        write_name(name, key, thread);
      }
    write_parents();
  }

  // The first of its events makes a sender's id a name of the thread, which
  // stays whatever the thread is merged into.
  void write_name(const std::string& name, const join_batch::key_state& key,
                  const uuid& thread) {
    if (!name.starts_with(correlation_family) || key.links != key.new_links ||
        key.mentions != key.new_mentions)
      return;
    if (const auto id = own_id_in(name); id && *id != thread)
      result_.names.emplace_back(*id, thread);
  }

  void write_members() {
    std::map<uuid, thread_growth> growth;
    for (size_t i = 0; i < batch_.members.size(); ++i) {
      const auto& m = batch_.members[i];
      if (m.node == thread_forest::none || (m.stored && !m.adopted))
        continue;
      const auto thread = batch_.forest.thread_of(m.node);
      if (!m.stored)
        result_.threads[i] = thread;
      result_.changes.members.push_back({m.id, thread, m.adopted});
      auto [at, first] = growth.try_emplace(
          thread,
          thread_growth{thread, 0, m.at, m.at, batch_.forest.is_fresh(m.node)});
      ++at->second.events;
      at->second.first = std::min(at->second.first, m.at);
      at->second.last = std::max(at->second.last, m.at);
    }
    for (auto& [thread, g] : growth)
      result_.changes.growth.push_back(g);
  }

  std::optional<uuid> parent_of(const join_input& e) const {
    for (const auto& k : e.keys) {
      if (!is_cause(k))
        continue;
      if (const auto key = batch_.keys.find(k.key);
          key != batch_.keys.end() && !key->second.owner.is_nil() &&
          key->second.owner != e.id)
        return key->second.owner;
      if (const auto id = own_id_in(k.key); id && batch_.named.contains(*id))
        return id;
    }
    return std::nullopt;
  }

  void write_parents() {
    for (size_t i = 0; i < events_.size(); ++i) {
      const auto& e = events_[i];
      if (const auto parent = parent_of(e)) {
        if (e.stored)
          result_.changes.parents.push_back({e.id, e.at, *parent});
        else
          result_.parents[i] = parent;
        continue;
      }
      // What caused it may come later, unless its sender knows better.
      for (const auto& k : e.keys)
        if (is_cause(k) && may_link(k, limits_.threshold) &&
            k.field != "parent_event_id")
          result_.changes.pending.push_back({k.key, e.id, e.at, k});
    }
    for (auto& row : batch_.effects) {
      const auto key = batch_.keys.find(row.fact);
      if (key == batch_.keys.end() || key->second.owner.is_nil() ||
          key->second.owner == row.event)
        continue;
      result_.changes.parents.push_back({row.event, row.at, key->second.owner});
      result_.changes.resolved.push_back(std::move(row));
    }
  }

  std::span<const join_input> events_;
  const join_limits& limits_;
  join_batch batch_;
  std::set<std::string> huge_keys_;
  std::set<uuid> brought_in_;
  join_result result_;
};

} // namespace

correlation_key own_id_key(const uuid& id) {
  const auto text = to_string(id);
  return {.key = std::string{event_family}.append(text),
          .type = {},
          .confidence = 1,
          .needs = {},
          .rule = "trace",
          .field = "id",
          .matched = text};
}

expected<join_result> join(thread_index& index,
                           std::span<const join_input> events,
                           const join_limits& limits) {
  auto batch = read_batch(index, events, limits);
  if (!batch)
    return fail(std::move(batch.error()));
  auto result = joiner{events, limits, std::move(*batch)}.run();
  if (auto e = index.apply(result.changes); !e)
    return fail(std::move(e.error()));
  return result;
}

event merge_event(const thread_merge& merge, const uuid& id, timestamp now) {
  event ev;
  ev.id = id;
  // The same merge cannot be told twice.
  ev.event_id = "merged-" + to_string(merge.from);
  ev.platform = "eventweft";
  ev.event_type = "correlation:merged";
  ev.source_id = to_string(merge.into);
  ev.priority = priority::low;
  ev.correlation_id = merge.into;
  ev.parent_event_id =
      merge.event.is_nil() ? std::nullopt : std::optional{merge.event};
  ev.created_at = now;
  std::string key;
  codec::append_quoted(key, merge.key);
  ev.payload = shared_text{
      fmt::format(R"({{"from":"{}","into":"{}","event":"{}","key":{}}})",
                  to_string(merge.from), to_string(merge.into),
                  to_string(merge.event), key)};
  return ev;
}

} // namespace eventweft::correlation
