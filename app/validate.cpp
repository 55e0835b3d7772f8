// SPDX-License-Identifier: Apache-2.0
#include "app/validate.hpp"

#include "actors/platforms/registry.hpp"
#include "app/access_bridge.hpp"
#include "app/cluster_node.hpp"
#include "app/correlation.hpp"
#include "app/delivery_options.hpp"
#include "app/poster.hpp"
#include "app/processors.hpp"
#include "app/retention.hpp"
#include "app/spool_adapter.hpp"
#include "app/store_options.hpp"
#include "net/tls_keeper.hpp"
#include "persistence/store.hpp"

#include <filesystem>
#include <memory>
#include <utility>

namespace eventweft {

namespace {

using config::settings;

class fault_list {
 public:
  template <class T>
  void add(const expected<T>& outcome) {
    if (outcome)
      return;
    // A fault that all of them have is told once.
    for (const auto& known : all_)
      if (known.message == outcome.error().message)
        return;
    all_.push_back(outcome.error());
  }

  std::vector<error> take() && { return std::move(all_); }

 private:
  std::vector<error> all_;
};

// One section at a time: all that is wrong is told at once.
void check_platforms(const settings& s, fault_list& faults) {
  const system_clock time;
  system_random random;
  faults.add(
      platforms::make_platforms({}, time, random, s.event.platforms_directory));
  for (const auto& section : s.platforms)
    faults.add(platforms::make_platforms({section}, time, random,
                                         s.event.platforms_directory));
}

void check_processors(const settings& s, fault_list& faults) {
  const auto time = std::make_shared<const system_clock>();
  for (const auto& one : s.processors) {
    settings only;
    only.processors.insert(one);
    processing::registry nowhere;
    faults.add(add_configured(nowhere, only, nullptr, time));
  }
  faults.add(make_alert(s.dead_letters, nullptr, time, nullptr));
}

void check_store(const settings& s, fault_list& faults) {
  const auto store = open_store(store_options_of(s));
  if (!store) {
    faults.add(expected<void>{
        fail(store.error().code, "[store] url: " + store.error().message)});
    return;
  }
  if (!s.store.url.starts_with("memory:"))
    faults.add(spool_source::check(s.store));
  if (s.cluster.enabled)
    faults.add(check_cluster(s.cluster, **store));
}

expected<void> check_log(const config::log_settings& log) {
  namespace fs = std::filesystem;
  if (log.file.empty())
    return {};
  std::error_code failed;
  const auto path = fs::absolute(log.file, failed);
  if (failed || fs::is_directory(path, failed))
    return fail(ec::bad_configuration,
                "[log] file: " + log.file + ": a directory, not a file");
  return {};
}

} // namespace

std::vector<error> faults_of(const config::settings& settings) {
  fault_list faults;
  faults.add(check_log(settings.log));
  const auto& tls = settings.server.tls;
  if (!tls.certificate.empty() || !tls.key.empty() || !tls.client_ca.empty())
    faults.add(net::tls_keeper::open(tls));
  faults.add(read_jwt_keys(settings.auth));
  check_store(settings, faults);
  check_platforms(settings, faults);
  check_processors(settings, faults);
  faults.add(make_rules(settings, {}, nullptr));
  faults.add(subscriptions_options_of(settings));
  faults.add(check_poster(settings.webhooks));
  faults.add(retention_of(settings));
  faults.add(audit_retention_of(settings));
  return std::move(faults).take();
}

} // namespace eventweft
