// SPDX-License-Identifier: Apache-2.0
#include "actors/cluster/membership.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace eventweft {

namespace {

using std::chrono::nanoseconds;

double in_seconds(nanoseconds t) {
  return std::chrono::duration<double>(t).count();
}

// A node that was frozen finds out late.
std::string end_of_work(nanoseconds left) {
  if (left <= nanoseconds{0})
    return "nothing is owned any more until it comes back";
  return fmt::format("what is owned ends in {:.1f} s unless it comes back",
                     in_seconds(left));
}

} // namespace

membership::membership(membership_options options, clock_type now,
                       std::shared_ptr<metrics> figures, logger_ptr log)
    : options_(std::move(options)),
      now_(std::move(now)),
      figures_(std::move(figures)),
      log_(std::move(log)),
      last_beat_(now_()),
      next_(now_()) {}

std::optional<fence> membership::held(const std::string& work) {
  return held_of({}, work);
}

std::optional<fence> membership::held_of(const std::string& kind,
                                         const std::string& work) {
  std::function<void()> hurry;
  std::optional<fence> out;
  {
    std::lock_guard guard{mutex_};
    const auto now = now_();
    const auto [i, is_new] = works_.try_emplace(work);
    i->second.asked = now;
    i->second.kind = kind;
    if (valid(i->second, now)) {
      out.emplace(fence{work, i->second.token});
    } else if (is_new && !draining_) {
      next_ = now;
      hurry = hurry_;
    }
  }
  if (hurry)
    hurry();
  return out;
}

void membership::ended(const std::string& work) {
  std::function<void()> hurry;
  {
    std::lock_guard guard{mutex_};
    const auto i = works_.find(work);
    if (i == works_.end())
      return;
    i->second.asked = now_() - options_.forget;
    next_ = now_();
    hurry = hurry_;
  }
  if (hurry)
    hurry();
}

std::shared_ptr<void> membership::on_change(std::function<void()> changed) {
  return listeners_.add(std::move(changed));
}

std::string membership::holder(const std::string& work) const {
  std::lock_guard guard{mutex_};
  const auto name = chosen_for(work);
  // Ours, but not yet.
  if (name.empty() || name == options_.me.name)
    return {};
  const auto row = std::ranges::find(members_, name, &node_record::name);
  return name + " (" + (row == members_.end() ? "" : row->http) + ")";
}

void membership::on_hurry(std::function<void()> hurry) {
  std::lock_guard guard{mutex_};
  hurry_ = std::move(hurry);
}

expected<void> membership::turn(store_nodes& store) {
  node_record me;
  {
    std::lock_guard guard{mutex_};
    me = options_.me;
    me.state = draining_ ? node_state::draining : node_state::up;
    me.processors = own_processors();
    next_ = now_() + options_.beat();
  }
  const auto before = now_();
  auto all = store.beat(me, options_.dead_after());
  auto done = all.map([](const auto&) {});
  if (!done && done.error().code == ec::conflict)
    done = fail(of_namesake(store, std::move(done.error())));
  else
    namesake_since_.reset();
  if (all) {
    {
      std::lock_guard guard{mutex_};
      if (before - last_beat_ >= options_.dead_after())
        looked_for_lone_ = false;
      last_beat_ = before;
    }
    see(std::move(*all));
    const auto free = no_lone_server(store);
    if (!free)
      done = fail(free.error());
    else if (*free)
      done = settle(store);
    if (done)
      forget(store);
  }
  tell_changes();
  std::lock_guard guard{mutex_};
  const bool news = !done && !std::exchange(failing_, true);
  if (news && done.error().code == ec::conflict)
    log_->warn("cluster: {}; if that is this one before a crash, it joins "
               "once that one counts as dead",
               done.error().message);
  else if (news)
    log_->warn("cluster: no heartbeat ({}); {}", done.error().message,
               end_of_work(options_.valid() - (now_() - last_beat_)));
  if (done && std::exchange(failing_, false))
    log_->info("cluster: heartbeats work again");
  return done;
}

error membership::of_namesake(store_nodes& store, error e) {
  const auto now = now_();
  if (!namesake_since_)
    namesake_since_ = now;
  nanoseconds patience = 2 * options_.lease;
  if (const auto all = store.all()) {
    const auto& name = options_.me.name;
    if (const auto it = std::ranges::find(*all, name, &node_record::name);
        it != all->end()) {
      // By its own lease, not by ours.
      const auto dead_after = it->dead_after.value_or(options_.dead_after());
      patience = std::max<nanoseconds>(patience, dead_after + options_.lease);
      e.message +=
          fmt::format(" (links at {}, HTTP at {}, last heard of {:.1f} s ago, "
                      "dead once silent for {:.1f} s)",
                      it->address.empty() ? "none" : it->address, it->http,
                      in_seconds(it->silent), in_seconds(dead_after));
    }
  }
  e.message += ": give each node a [cluster] name of its own";
  name_taken_ = now - *namesake_since_ > patience;
  return e;
}

// What is new about a living node since the last turn.
void membership::tell_of(const node_record& n) {
  const auto before = std::ranges::find(members_, n.name, &node_record::name);
  const bool again =
      before != members_.end() && before->incarnation != n.incarnation;
  if (again || !known_.contains(n.name))
    log_->info("cluster: node {} is there{} (links at {}, HTTP at {}, {})",
               n.name, again ? " again, another process" : "",
               n.address.empty() ? "none" : n.address, n.http,
               to_string(n.state));
  else if (before->state != n.state)
    log_->info("cluster: node {} is {} now", n.name, to_string(n.state));
  else if (before->address != n.address)
    log_->info("cluster: node {} takes links at {} now", n.name, n.address);
}

void membership::see(std::vector<node_record> all) {
  std::lock_guard guard{mutex_};
  std::vector<std::string> workers;
  std::set<std::string> alive;
  for (const auto& n : all) {
    if (!n.alive(options_.dead_after()))
      continue;
    alive.insert(n.name);
    if (n.state == node_state::up)
      workers.push_back(n.name);
    if (n.name != options_.me.name)
      tell_of(n);
  }
  for (const auto& name : known_)
    if (!alive.contains(name)) {
      const auto row = std::ranges::find(all, name, &node_record::name);
      const bool left = row != all.end() && row->state == node_state::left;
      if (left)
        log_->info("cluster: node {} has left", name);
      else
        log_->warn("cluster: node {} is gone: no heartbeat", name);
    }
  known_ = std::move(alive);
  workers_ = std::move(workers);
  members_ = std::move(all);
  figures_->set_cluster_members(known_.size());
}

expected<bool> membership::no_lone_server(store_nodes& store) {
  if (looked_for_lone_)
    return true;
  const auto leases = store.leases();
  if (!leases)
    return fail(leases.error());
  const auto lone = std::ranges::find(*leases, alone_work, &lease_record::work);
  looked_for_lone_ = lone == leases->end();
  if (!looked_for_lone_ && !std::exchange(waits_for_lone_, true))
    log_->warn("cluster: a server without [cluster] enabled = true ({}) is at "
               "work on this database; this node takes none until that one "
               "has ended, which it does by itself",
               lone->owner.substr(0, lone->owner.find('/')));
  if (looked_for_lone_ && std::exchange(waits_for_lone_, false))
    log_->info("cluster: the server without [cluster] enabled = true is gone");
  return looked_for_lone_;
}

// Takes and renews what this node is chosen for, and lets go of the rest.
expected<void> membership::settle(store_nodes& store) {
  std::vector<std::string> want, give;
  const auto owner = options_.me.owner();
  {
    std::lock_guard guard{mutex_};
    const auto now = now_();
    for (auto i = works_.begin(); i != works_.end();) {
      auto& [work, it] = *i;
      const bool asked = now - it.asked < options_.forget;
      const bool mine =
          asked && !draining_ && chosen_for(work) == options_.me.name;
      if (mine) {
        it.give_at.reset();
        want.push_back(work);
      } else if (it.token != 0) {
        if (!it.give_at)
          it.give_at = now + (asked ? options_.handover : nanoseconds{0});
        if (now >= *it.give_at)
          give.push_back(work);
        else
          next_ = std::min(next_, *it.give_at);
      } else if (!asked) {
        i = works_.erase(i);
        continue;
      }
      ++i;
    }
  }
  if (!give.empty()) {
    if (auto given = store.release(owner, give); !given)
      return given;
    std::lock_guard guard{mutex_};
    for (const auto& work : give)
      if (auto i = works_.find(work); i != works_.end()) {
        i->second.token = 0;
        i->second.give_at.reset();
        log_->info("cluster: gave {} away", work);
      }
  }
  if (want.empty())
    return {};
  const auto before = now_();
  auto got = store.claim(owner, want, options_.ttl());
  if (!got)
    return fail(got.error());
  std::map<std::string, int64_t> tokens;
  for (const auto& f : *got)
    tokens.emplace(f.work, f.token);
  std::lock_guard guard{mutex_};
  for (const auto& work : want) {
    const auto i = works_.find(work);
    if (i == works_.end())
      continue;
    const auto t = tokens.find(work);
    if (t == tokens.end()) {
      if (std::exchange(i->second.token, 0) != 0)
        log_->warn("cluster: lost {} to another node", work);
      continue;
    }
    if (i->second.token != t->second)
      note_takeover(work);
    i->second.token = t->second;
    i->second.valid_until = before + options_.valid();
  }
  return {};
}

// Any node may: who deletes nothing because another one did is none the worse.
void membership::forget(store_nodes& store) {
  constexpr std::chrono::minutes between{10};
  constexpr std::chrono::hours unheld{1};
  // Hosts of containers have a new name each time.
  constexpr std::chrono::hours unheard{7 * 24};
  const auto now = now_();
  if (now < next_forget_)
    return;
  auto gone = store.forget_leases(unheld);
  if (gone)
    gone = store.forget_nodes(unheard);
  if (!gone) {
    log_->debug("cluster: old leases and nodes can't be deleted ({})",
                gone.error().message);
    return;
  }
  next_forget_ = now + between;
}

void membership::note_takeover(const std::string& work) {
  figures_->lease_taken(work.substr(0, work.find(':')));
  log_->info("cluster: took {} over", work);
}

void membership::tell_changes() {
  bool changed = false;
  {
    std::lock_guard guard{mutex_};
    const auto now = now_();
    size_t count = 0;
    for (auto& [work, it] : works_) {
      const bool holds = valid(it, now);
      count += holds ? 1 : 0;
      changed = changed || holds != it.told;
      it.told = holds;
    }
    figures_->set_leases_held(count);
  }
  if (changed)
    listeners_.tell();
}

nanoseconds membership::next_turn() const {
  std::lock_guard guard{mutex_};
  return next_;
}

expected<void> membership::leave(store_nodes& store) {
  node_record gone;
  {
    std::lock_guard guard{mutex_};
    gone = options_.me;
    draining_ = true;
    for (auto& [work, it] : works_)
      it.token = 0;
  }
  tell_changes();
  return store.leave(gone);
}

void membership::drain() {
  std::function<void()> hurry;
  {
    std::lock_guard guard{mutex_};
    if (std::exchange(draining_, true))
      return;
    next_ = now_();
    hurry = hurry_;
  }
  if (hurry)
    hurry();
}

node_record membership::me() const {
  std::lock_guard guard{mutex_};
  return options_.me;
}

void membership::set_addresses(std::string links, std::string http) {
  std::lock_guard guard{mutex_};
  options_.me.address = std::move(links);
  options_.me.http = std::move(http);
  // Nobody dials us before it knows.
  next_ = now_();
}

bool membership::draining() const {
  std::lock_guard guard{mutex_};
  return draining_;
}

bool membership::drained() const {
  std::lock_guard guard{mutex_};
  return draining_ && std::ranges::all_of(works_, [](const auto& entry) {
           return entry.second.token == 0;
         });
}

std::vector<node_record> membership::members() const {
  std::lock_guard guard{mutex_};
  return members_;
}

std::vector<std::string> membership::workers() const {
  std::lock_guard guard{mutex_};
  return workers_;
}

std::vector<fence> membership::holding() const {
  std::lock_guard guard{mutex_};
  const auto now = now_();
  std::vector<fence> out;
  for (const auto& [work, it] : works_)
    if (valid(it, now))
      out.push_back({work, it.token});
  return out;
}

nanoseconds membership::since_beat() const {
  std::lock_guard guard{mutex_};
  return now_() - last_beat_;
}

} // namespace eventweft
