// SPDX-License-Identifier: Apache-2.0
#include "correlation/joiner.hpp"

#include "codec/json_text.hpp"
#include "correlation/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace eventweft::correlation {

namespace {

constexpr size_t none = static_cast<size_t>(-1);
constexpr std::string_view sha_family = "git:sha:";
constexpr std::string_view event_family = "event:";
constexpr size_t full_sha_key = sha_family.size() + 40;

bool is_full_sha(std::string_view key) noexcept {
  return key.starts_with(sha_family) && key.size() == full_sha_key;
}

// Keys that may hold the id of an event or of a thread of ours.
std::optional<uuid> id_in(std::string_view key) {
  for (std::string_view family : {"correlation:", "event:"})
    if (key.starts_with(family))
      return uuid::parse(key.substr(family.size()));
  return std::nullopt;
}

// What an event says was there before it.
bool is_cause(const correlation_key& k) noexcept {
  return k.type.from == correlation_noun::cause;
}

// Whoever opens a pull request or pushes a commit stands for the commit, as
// nobody else does.
bool owns(const correlation_key& k) noexcept {
  return k.is_identity() || (k.type.to == correlation_noun::commit &&
                             (k.type.from == correlation_noun::pr ||
                              k.type.from == correlation_noun::commit) &&
                             !k.from_text);
}

struct cause {
  uuid event;
  std::string key;
};

// A thread that is there, or events that are about to be one.
struct node {
  size_t parent;
  // Nil while there is no thread yet.
  uuid thread;
  // Events of its own; of a root, `total` counts all that hang on it.
  uint64_t stored = 0;
  uint64_t total = 0;
  // Of a root: whose id stays.
  size_t best = none;
  // The id that an event asks for, if there is no thread yet.
  uuid wish;
  // What joined it to the one whose id stays.
  cause lost_to;
};

struct key_state {
  size_t node = none;
  uuid owner;
  uint64_t links = 0;
  uint64_t mentions = 0;
  uint64_t new_links = 0;
  uint64_t new_mentions = 0;
  uuid new_owner;
  timestamp last_seen{};
  bool known = false;
  bool touched = false;
};

// An event of this batch, or a stored one that waited for a fact.
struct member {
  uuid id;
  timestamp at{};
  size_t node = none;
  // Stored, and had no thread.
  bool adopted = false;
  bool stored = false;
};

class joiner {
 public:
  joiner(thread_index& index, std::span<const join_input> events,
         const join_limits& limits)
      : index_(index), events_(events), limits_(limits) {}

  expected<join_result> run() {
    collect();
    if (auto e = read_facts(); !e)
      return fail(std::move(e.error()));
    if (auto e = read_keys(); !e)
      return fail(std::move(e.error()));
    if (auto e = read_waiting(); !e)
      return fail(std::move(e.error()));
    for (size_t i = 0; i < events_.size(); ++i)
      link_event(i);
    for (auto& w : waiting_)
      link_waiting(w);
    settle();
    if (auto e = index_.apply(result_.changes); !e)
      return fail(std::move(e.error()));
    return std::move(result_);
  }

 private:
  struct waiting {
    pending_row row;
    size_t member = none;
    std::string resolved;
  };

  // -- reading ----------------------------------------------------------------

  void collect() {
    result_.threads.resize(events_.size());
    result_.parents.resize(events_.size());
    for (const auto& e : events_) {
      members_.push_back(
          {.id = e.id, .at = e.at, .adopted = e.stored, .stored = e.stored});
      for (const auto& k : e.keys) {
        if (k.is_fact()) {
          taught_.try_emplace(k.key, k.matched);
          continue;
        }
        if (k.confidence >= limits_.threshold && is_full_sha(k.key))
          commits_.insert(k.key);
        if (k.needs.empty())
          continue;
        if (is_short_sha(k.key))
          short_shas_.insert(k.key);
        else
          wanted_.insert(k.needs);
      }
    }
  }

  expected<void> read_facts() {
    std::vector<std::string> names{wanted_.begin(), wanted_.end()};
    for (const auto& [name, value] : taught_)
      if (!wanted_.contains(name))
        names.push_back(name);
    if (!names.empty()) {
      auto rows = index_.find_facts(names);
      if (!rows)
        return fail(std::move(rows.error()));
      for (auto& row : *rows)
        facts_.insert_or_assign(std::move(row.fact), std::move(row.value));
    }
    for (const auto& [name, value] : taught_)
      if (facts_.try_emplace(name, value).second)
        result_.changes.facts.push_back({name, value});
    return read_commits();
  }

  expected<void> read_commits() {
    if (short_shas_.empty())
      return {};
    const std::vector<std::string> prefixes{short_shas_.begin(),
                                            short_shas_.end()};
    auto found = index_.find_commits(prefixes);
    if (!found)
      return fail(std::move(found.error()));
    commits_.insert(found->begin(), found->end());
    return {};
  }

  // The key once its fact is known; empty while it is not.
  std::string resolve(const correlation_key& k) const {
    if (k.needs.empty())
      return k.key;
    if (is_short_sha(k.key)) {
      const auto first = commits_.lower_bound(k.key);
      if (first == commits_.end() || !first->starts_with(k.key))
        return {};
      const auto second = std::next(first);
      const bool unique =
          second == commits_.end() || !second->starts_with(k.key);
      return unique ? *first : std::string{};
    }
    const auto fact = facts_.find(k.needs);
    return fact == facts_.end() ? std::string{}
                                : resolve_key(k.key, fact->second);
  }

  bool may_link(const correlation_key& k) const noexcept {
    return !k.is_fact() &&
           (k.confidence >= limits_.threshold || !k.needs.empty());
  }

  expected<void> load(const std::set<std::string>& names) {
    std::vector<std::string> ask;
    for (const auto& name : names)
      if (keys_.try_emplace(name).second)
        ask.push_back(name);
    if (ask.empty())
      return {};
    auto rows = index_.find_keys(ask);
    if (!rows)
      return fail(std::move(rows.error()));
    for (const auto& row : *rows) {
      auto& k = keys_[row.key];
      k.node = node_of(row.thread, row.thread_events);
      k.owner = row.owner;
      k.links = row.links;
      k.mentions = row.mentions;
      k.last_seen = row.last_seen;
      k.known = true;
    }
    return {};
  }

  expected<void> read_keys() {
    std::set<std::string> names;
    std::vector<uuid> ids;
    for (const auto& e : events_)
      for (const auto& k : e.keys) {
        if (!may_link(k))
          continue;
        if (auto name = resolve(k); !name.empty()) {
          if (const auto id = id_in(name); id && !k.is_identity()) {
            ids.push_back(*id);
            if (is_cause(k))
              causes_.emplace(*id, name);
          }
          names.insert(std::move(name));
        }
      }
    if (auto e = load(names); !e)
      return e;
    if (auto e = read_stored(); !e)
      return e;
    if (auto e = read_named_threads(std::move(ids)); !e)
      return e;
    return read_causes();
  }

  // Events that others name as their cause and that have no thread, be it that
  // they have no keys or that they come with this batch.
  expected<void> read_causes() {
    std::vector<uuid> ask;
    for (const auto& [id, name] : causes_)
      if (!named_.contains(id) && !keys_[name].known)
        ask.push_back(id);
    if (ask.empty())
      return {};
    std::map<uuid, size_t> here;
    for (size_t i = 0; i < events_.size(); ++i)
      here.emplace(events_[i].id, i);
    std::erase_if(ask, [&](const uuid& id) {
      const auto found = here.find(id);
      return found != here.end() && loose_.emplace(id, found->second).second;
    });
    if (ask.empty())
      return {};
    auto rows = index_.find_events(ask);
    if (!rows)
      return fail(std::move(rows.error()));
    for (const auto& row : *rows) {
      loose_.emplace(row.event, members_.size());
      members_.push_back(
          {.id = row.event, .at = row.at, .adopted = true, .stored = true});
    }
    return {};
  }

  // The threads of events that were there before.
  expected<void> read_stored() {
    std::map<uuid, size_t> by_id;
    std::vector<uuid> ids;
    for (size_t i = 0; i < members_.size(); ++i)
      if (members_[i].stored && by_id.try_emplace(members_[i].id, i).second)
        ids.push_back(members_[i].id);
    if (ids.empty())
      return {};
    auto rows = index_.find_threads(ids);
    if (!rows)
      return fail(std::move(rows.error()));
    for (const auto& row : *rows) {
      auto& m = members_[by_id.at(row.asked)];
      m.node = node_of(row.thread, row.events);
      m.adopted = false;
    }
    return {};
  }

  // What `correlationid` and `causationid` name may be a thread or an event of
  // ours instead of a key.
  expected<void> read_named_threads(std::vector<uuid> ids) {
    if (ids.empty())
      return {};
    auto rows = index_.find_threads(ids);
    if (!rows)
      return fail(std::move(rows.error()));
    for (const auto& row : *rows)
      named_[row.asked] = node_of(row.thread, row.events);
    return {};
  }

  // Stored events whose facts became known with this batch.
  expected<void> read_waiting() {
    std::vector<std::string> facts;
    for (const auto& f : result_.changes.facts)
      facts.push_back(f.fact);
    for (const auto& key : commits_)
      if (const auto k = keys_.find(key); k != keys_.end() && !k->second.known)
        facts.push_back(
            sha_fact(std::string_view{key}.substr(sha_family.size())));
    // Those that came before their cause.
    for (const auto& e : events_)
      for (const auto& k : e.keys)
        if (k.is_identity() && k.key.starts_with(event_family))
          if (const auto at = keys_.find(k.key); at != keys_.end() &&
                                                 at->second.known &&
                                                 at->second.owner.is_nil())
            facts.push_back(k.key);
    std::sort(facts.begin(), facts.end());
    facts.erase(std::unique(facts.begin(), facts.end()), facts.end());
    if (facts.empty())
      return {};
    auto rows = index_.find_pending(facts);
    if (!rows)
      return fail(std::move(rows.error()));
    if (rows->empty())
      return {};
    return read_waiting_rows(std::move(*rows));
  }

  expected<void> read_waiting_rows(std::vector<pending_row> rows) {
    std::erase_if(rows, [this](pending_row& row) {
      const bool waits_for_cause = is_cause(row.key) && row.fact == row.key.key;
      if (waits_for_cause)
        effects_.push_back(std::move(row));
      return waits_for_cause;
    });
    short_shas_.clear();
    for (const auto& row : rows)
      if (is_short_sha(row.key.key))
        short_shas_.insert(row.key.key);
    if (auto e = read_commits(); !e)
      return e;
    std::set<std::string> names;
    std::map<uuid, size_t> by_id;
    std::vector<uuid> ids;
    for (auto& row : rows) {
      auto name = resolve(row.key);
      if (name.empty())
        continue;
      names.insert(name);
      const auto [at, fresh] = by_id.try_emplace(row.event, members_.size());
      if (fresh) {
        members_.push_back(
            {.id = row.event, .at = row.at, .adopted = true, .stored = true});
        ids.push_back(row.event);
      }
      waiting_.push_back({std::move(row), at->second, std::move(name)});
    }
    if (ids.empty())
      return {};
    auto threads = index_.find_threads(ids);
    if (!threads)
      return fail(std::move(threads.error()));
    for (const auto& row : *threads)
      if (const auto at = by_id.find(row.asked); at != by_id.end()) {
        members_[at->second].node = node_of(row.thread, row.events);
        members_[at->second].adopted = false;
      }
    return load(names);
  }

  // -- joining ----------------------------------------------------------------

  size_t node_of(const uuid& thread, uint64_t events) {
    const auto [at, fresh] = by_thread_.try_emplace(thread, nodes_.size());
    if (fresh)
      add_node(thread, events, events);
    return at->second;
  }

  size_t root(size_t n) {
    while (nodes_[n].parent != n) {
      nodes_[n].parent = nodes_[nodes_[n].parent].parent;
      n = nodes_[n].parent;
    }
    return n;
  }

  size_t node_of(member& m) {
    if (m.node == none) {
      m.node = nodes_.size();
      add_node({}, 0, 1);
    }
    return root(m.node);
  }

  void add_node(const uuid& thread, uint64_t stored, uint64_t total) {
    const size_t n = nodes_.size();
    nodes_.push_back({n, thread, stored, total, n, {}, {}});
  }

  // Whether `a`'s id stays when both become one: that of the larger thread, so
  // that the smaller one's rows are rewritten; of two alike, the older.
  bool outlives(const node& a, const node& b) const noexcept {
    if (a.thread.is_nil() || b.thread.is_nil())
      return !a.thread.is_nil();
    return a.stored != b.stored ? a.stored > b.stored : a.thread < b.thread;
  }

  // False if they are too large together.
  bool unite(size_t a, size_t b, const uuid& event, const std::string& key) {
    a = root(a);
    b = root(b);
    if (a == b)
      return true;
    auto& x = nodes_[a];
    auto& y = nodes_[b];
    if (x.total > 1 && y.total > 1 &&
        x.total + y.total > limits_.max_joined_events)
      return false;
    y.parent = a;
    x.total += y.total;
    wish(a, y.wish);
    const auto lost = outlives(nodes_[y.best], nodes_[x.best])
                          ? std::exchange(x.best, y.best)
                          : y.best;
    // Each thread loses once: to the one that took its place.
    nodes_[lost].lost_to = {event, key};
    return true;
  }

  void wish(size_t root_node, const uuid& id) {
    auto& w = nodes_[root_node].wish;
    if (!id.is_nil() && (w.is_nil() || id < w))
      w = id;
  }

  not_linked link(member& m, const correlation_key& claim,
                  const std::string& name) {
    auto& key = keys_[name];
    auto& count = claim.from_text ? key.mentions : key.links;
    const auto limit =
        claim.from_text ? limits_.max_mentions : limits_.max_links;
    if (count >= limit)
      return not_linked::hot_key;
    // Two sources gave one id: it stays that of the first.
    if (claim.is_identity() && is_global_event(name) && !key.owner.is_nil() &&
        key.owner != m.id)
      return not_linked::unsure;
    size_t target = key.node;
    const auto id = target == none ? id_in(name) : std::nullopt;
    if (id)
      if (const auto found = named_.find(*id); found != named_.end())
        target = found->second;
    const bool stale =
        claim.window != 0 && key.known &&
        distance(m.at, key.last_seen) > std::chrono::seconds{claim.window};
    const size_t mine = node_of(m);
    if (target == none && id)
      if (const auto found = loose_.find(*id); found != loose_.end()) {
        auto& before = members_[found->second];
        target = node_of(before);
        if (key.owner.is_nil()) {
          key.owner = key.new_owner = before.id;
          result_.changes.links.push_back(
              {before.id, own_id_key(before.id), not_linked::none});
        }
      }
    if (stale) {
      // A later use of the same name begins anew; an earlier one, come late,
      // stays by itself.
      if (m.at < key.last_seen)
        return not_linked::none;
      key.node = mine;
    } else if (target == none) {
      key.node = mine;
      // A sender that names its thread finds it under that name.
      if (id && name.starts_with("correlation:"))
        wish(mine, *id);
    } else {
      if (!unite(mine, target, m.id, name))
        return not_linked::huge_thread;
      key.node = target;
    }
    ++count;
    ++(claim.from_text ? key.new_mentions : key.new_links);
    if (count == limit)
      result_.hot_keys.push_back(name);
    key.last_seen = std::max(key.last_seen, m.at);
    if (owns(claim) && key.owner.is_nil())
      key.owner = key.new_owner = m.id;
    key.known = true;
    key.touched = true;
    return not_linked::none;
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
    const auto key = keys_.find(claim.key);
    return key == keys_.end() || !key->second.known;
  }

  void link_event(size_t i) {
    const std::string* known_cause = nullptr;
    for (const auto& claim : events_[i].keys) {
      if (claim.is_fact() || is_own_id_of_nobody(claim, members_[i].id))
        continue;
      // An id is one of its own source first.
      if (is_cause(claim)) {
        if (known_cause && *known_cause == claim.field &&
            is_global_event(claim.key))
          continue;
        if (const auto key = keys_.find(claim.key);
            key != keys_.end() && !key->second.owner.is_nil())
          known_cause = &claim.field;
      }
      link_row row{events_[i].id, claim, not_linked::none};
      auto name = may_link(claim) ? resolve(claim) : std::string{};
      if (!may_link(claim)) {
        row.why = not_linked::unsure;
      } else if (name.empty()) {
        row.why = not_linked::pending;
        result_.changes.pending.push_back(
            {claim.needs, events_[i].id, events_[i].at, claim});
      } else {
        settle_claim(row.key, name);
        row.why = link(members_[i], claim, name);
      }
      result_.changes.links.push_back(std::move(row));
    }
  }

  void link_waiting(waiting& w) {
    link_row row{w.row.event, w.row.key, not_linked::none};
    settle_claim(row.key, w.resolved);
    row.why = link(members_[w.member], w.row.key, w.resolved);
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

  const uuid& best_of(size_t r) const noexcept {
    return nodes_[nodes_[r].best].thread;
  }

  void settle() {
    std::map<size_t, uuid> ids;
    // Fresh threads: the oldest of their events names them.
    for (const auto& m : members_) {
      if (m.node == none)
        continue;
      const auto r = root(m.node);
      if (!best_of(r).is_nil())
        continue;
      const auto [at, first] = ids.try_emplace(r, m.id);
      if (!first && m.id < at->second)
        at->second = m.id;
    }
    const auto thread_of = [&](size_t n) {
      const auto r = root(n);
      if (!best_of(r).is_nil())
        return best_of(r);
      return nodes_[r].wish.is_nil() ? ids.at(r) : nodes_[r].wish;
    };
    write_members(thread_of);
    write_merges(thread_of);
    for (const auto& [name, key] : keys_)
      if (key.touched)
        result_.changes.keys.push_back({name, thread_of(key.node),
                                        key.new_owner, key.new_links,
                                        key.new_mentions, key.last_seen});
    write_parents();
  }

  template <class ThreadOf>
  void write_members(const ThreadOf& thread_of) {
    std::map<uuid, thread_growth> growth;
    for (size_t i = 0; i < members_.size(); ++i) {
      const auto& m = members_[i];
      if (m.node == none || (m.stored && !m.adopted))
        continue;
      const auto thread = thread_of(m.node);
      if (!m.stored)
        result_.threads[i] = thread;
      result_.changes.members.push_back({m.id, thread, m.adopted});
      auto [at, first] = growth.try_emplace(
          thread,
          thread_growth{thread, 0, m.at, m.at, best_of(root(m.node)).is_nil()});
      ++at->second.events;
      at->second.first = std::min(at->second.first, m.at);
      at->second.last = std::max(at->second.last, m.at);
    }
    for (auto& [thread, g] : growth)
      result_.changes.growth.push_back(g);
  }

  template <class ThreadOf>
  void write_merges(const ThreadOf& thread_of) {
    for (const auto& [thread, n] : by_thread_) {
      if (nodes_[root(n)].best == n)
        continue;
      const auto& why = nodes_[n].lost_to;
      result_.changes.merges.push_back(
          {thread, thread_of(n), why.event, why.key});
    }
  }

  std::optional<uuid> parent_of(const join_input& e) const {
    for (const auto& k : e.keys) {
      if (!is_cause(k))
        continue;
      if (const auto key = keys_.find(k.key); key != keys_.end() &&
                                              !key->second.owner.is_nil() &&
                                              key->second.owner != e.id)
        return key->second.owner;
      if (const auto id = id_in(k.key); id && named_.contains(*id))
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
        if (is_cause(k) && may_link(k) && k.field != "parent_event_id")
          result_.changes.pending.push_back({k.key, e.id, e.at, k});
    }
    for (auto& row : effects_) {
      const auto key = keys_.find(row.fact);
      if (key == keys_.end() || key->second.owner.is_nil() ||
          key->second.owner == row.event)
        continue;
      result_.changes.parents.push_back({row.event, row.at, key->second.owner});
      result_.changes.resolved.push_back(std::move(row));
    }
  }

  thread_index& index_;
  std::span<const join_input> events_;
  const join_limits& limits_;
  join_result result_;

  std::map<std::string, std::string> taught_;
  std::set<std::string> wanted_;
  std::set<std::string> short_shas_;
  std::set<std::string> commits_;
  std::map<std::string, std::string> facts_;

  std::vector<node> nodes_;
  std::map<uuid, size_t> by_thread_;
  std::map<std::string, key_state> keys_;
  std::map<uuid, size_t> named_;
  // Events that others name as their cause, and under which key.
  std::map<uuid, std::string> causes_;
  // Of those, the members that have no thread.
  std::map<uuid, size_t> loose_;
  // Stored events that came before what caused them.
  std::vector<pending_row> effects_;
  std::vector<member> members_;
  std::vector<waiting> waiting_;
};

} // namespace

std::string_view to_string(not_linked why) noexcept {
  switch (why) {
  case not_linked::none:
    return "linked";
  case not_linked::unsure:
    return "unsure";
  case not_linked::pending:
    return "pending";
  case not_linked::hot_key:
    return "hot_key";
  case not_linked::huge_thread:
    return "huge_thread";
  }
  return "unsure";
}

correlation_key own_id_key(const uuid& id) {
  auto text = to_string(id);
  return {.key = std::string{event_family}.append(text),
          .type = {},
          .confidence = 1,
          .needs = {},
          .rule = "trace",
          .field = "id",
          .matched = std::move(text)};
}

expected<join_result> join(thread_index& index,
                           std::span<const join_input> events,
                           const join_limits& limits) {
  return joiner{index, events, limits}.run();
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
