// SPDX-License-Identifier: Apache-2.0
#include "app/backfill.hpp"
#include "app/cli/commands.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/selection.hpp"
#include "app/cli/threads.hpp"
#include "app/correlation.hpp"
#include "app/store_options.hpp"
#include "codec/payload.hpp"
#include "persistence/thread_batch.hpp"

#include <fmt/format.h>

#include <atomic>
#include <csignal>

namespace eventweft::cli {

namespace {

// Touched by a signal handler.
std::atomic<bool> interrupted{false};

void note_signal(int) {
  interrupted = true;
}

/// What both work with.
struct workshop {
  store_ptr store;
  std::shared_ptr<const correlation::engine> rules;
};

expected<workshop> open_workshop(const config::load_options& load) {
  auto settings = config::load(load);
  if (!settings)
    return fail(settings.error());
  // Who asks for it wants it.
  settings->event.enable_correlation = true;
  if (is_missing_file(settings->store.url))
    return fail(ec::bad_configuration,
                settings->store.url + ": there is no such file");
  auto store = open_store(store_options_of(*settings));
  if (!store)
    return fail(store.error());
  if (auto schema = (*store)->check_schema(); !schema)
    return fail(schema.error());
  auto rules = make_rules(*settings, {}, {});
  if (!rules)
    return fail(rules.error());
  if (auto learned = learn_facts(**store, *(*rules)->known()); !learned)
    return fail(learned.error());
  if (const auto books = (*store)->open_correlation_rules()) {
    const auto taken = books->rules().and_then(
        [&](const auto& stored) { return take_stored_rules(stored, **rules); });
    if (!taken)
      return fail(taken.error());
  }
  return workshop{std::move(*store), std::move(*rules)};
}

void show_key(const correlation_key& k, float threshold, console& io) {
  io.out << "  " << to_string(k.type) << "  " << printable(k.key);
  if (k.is_fact()) {
    io.out << (k.matched.empty() ? "" : " = " + printable(k.matched)) << '\n';
    return;
  }
  io.out << fmt::format("  {:.2g}", k.confidence);
  if (!k.needs.empty())
    io.out << ", once " << printable(k.needs) << " is known";
  else if (k.confidence < threshold)
    io.out << fmt::format(", below {:.2g}: no link", threshold);
  if (k.window != 0)
    io.out << fmt::format(", within {} s", k.window);
  io.out << "\n      " << printable(k.field);
  if (!k.matched.empty())
    io.out << ": \"" << printable(k.matched) << '"';
  io.out << '\n';
}

int explain(const correlate_options& options, const workshop& shop,
            console& io) {
  const auto id = uuid::parse(options.explain);
  if (!id)
    return report({ec::bad_configuration, "--explain: an event's id is a UUID"},
                  io);
  const auto found = shop.store->open_session()->find(*id);
  if (!found)
    return report(found.error(), io);
  if (!*found)
    return report({ec::not_found, "no event has this id"}, io);
  const auto& stored = ***found;
  const auto threads = shop.store->open_threads();
  std::vector<thread_link> links;
  if (threads) {
    auto evidence = threads->evidence(*id);
    if (!evidence)
      return report(evidence.error(), io);
    links = std::move(*evidence);
  }
  io.out << event_line(stored, {io.colour, true}) << '\n'
         << "thread  "
         << (stored.correlation_id ? to_string(*stored.correlation_id) : "none")
         << "\n";
  // The thread that was found is none of what the rules saw.
  const auto ev = thread_batch::as_it_arrived(stored, links);
  codec::payload_reader reader;
  for (const auto& r : shop.rules->explain(ev, reader)) {
    if (!r.applied)
      continue;
    io.out << '\n'
           << printable(r.rule) << (r.disabled ? " (disabled)" : "") << '\n';
    if (!r.error.empty())
      io.out << "  failed: " << printable(r.error) << '\n';
    else if (r.keys.empty())
      io.out << "  nothing\n";
    for (const auto& k : r.keys)
      show_key(k, shop.rules->options().threshold, io);
  }
  if (!threads)
    return exit_ok;
  io.out << "\nstored\n";
  for (const auto& l : links)
    io.out << "  " << l.state << "  " << printable(l.key) << "  (" << l.type
           << ", " << printable(l.rule) << ")\n";
  return exit_ok;
}

std::string remaining(std::chrono::seconds left) {
  const auto s = left.count();
  if (s >= 3'600)
    return fmt::format("{} h {} min", s / 3'600, s % 3'600 / 60);
  return s >= 60 ? fmt::format("{} min {} s", s / 60, s % 60)
                 : fmt::format("{} s", s);
}

int backfill(const correlate_options& options, const workshop& shop,
             console& io) {
  backfill_options work;
  work.share = options.share;
  if (!options.since.empty()) {
    const auto since =
        past_time("--since", options.since, system_clock{}.now());
    if (!since)
      return report(since.error(), io);
    work.since = parse_rfc3339(*since);
  }
  std::signal(SIGINT, note_signal);
  std::signal(SIGTERM, note_signal);
  work.stop = [] { return interrupted.load(); };
  // Whoever says --since knows.
  seq_t left_out = 0;
  work.begun = [&](const backfill_start& s) {
    if (s.resumed) {
      io.err << fmt::format("going on after seq {}\n", s.after);
      left_out = s.left_out;
    }
    if (s.other_rules)
      io.err << "the rules are others than those it was begun with: starting "
                "over\n";
  };
  work.progress = [&io](const backfill_progress& p) {
    io.err << fmt::format("{} events ({:.1f} %), {} linked, {} threads joined, "
                          "{} left\n",
                          p.events,
                          p.total == 0 ? 100.0
                                       : 100.0 * static_cast<double>(p.done) /
                                             static_cast<double>(p.total),
                          p.linked, p.merges, remaining(p.left));
  };
  const auto done = run_backfill(*shop.store, *shop.rules, work);
  if (!done)
    return report(done.error(), io);
  io.out << fmt::format("{} events gone over, {} linked, {} threads joined\n",
                        done->events, done->linked, done->merges);
  if (done->done < done->total) {
    io.out << "Stopped; `eventweft correlate --backfill` goes on from here.\n";
    return exit_failure;
  }
  if (left_out > 0)
    io.out << fmt::format("It was begun with --since: events up to seq {} were "
                          "left out. `eventweft correlate --backfill` goes "
                          "over all.\n",
                          left_out);
  return exit_ok;
}

} // namespace

int correlate(const correlate_options& options,
              const config::load_options& load, console& io) {
  if (options.explain.empty() && !options.backfill)
    return report({ec::bad_configuration,
                   "correlate: --explain ID or --backfill is needed"},
                  io);
  const auto shop = open_workshop(load);
  if (!shop)
    return report(shop.error(), io);
  return options.backfill ? backfill(options, *shop, io)
                          : explain(options, *shop, io);
}

} // namespace eventweft::cli
