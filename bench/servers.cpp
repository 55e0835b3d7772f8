// SPDX-License-Identifier: Apache-2.0
#include "bench/servers.hpp"

#include "bench/pg.hpp"

#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <thread>

namespace eventweft::bench {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

/// Calls `probe` until it is true. Throws with what the process has said if it
/// ends, or after 30 s.
template <class Probe>
void wait_until(child& process, const std::string& what, Probe probe) {
  const auto end = now_ns() + 30'000'000'000;
  while (!probe()) {
    if (!process.running())
      throw bench_error(what + " ended early:\n" + process.said());
    if (now_ns() > end)
      throw bench_error(what + " does not start:\n" + process.said());
    std::this_thread::sleep_for(5ms);
  }
}

fs::path postgres_binaries() {
  fs::path newest;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql"))
    newest = std::max(newest, entry.path());
  return newest / "bin";
}

bool accepts(const endpoint& e) {
  try {
    connect_to(e);
    return true;
  } catch (const bench_error&) {
    return false;
  }
}

} // namespace

hub::hub(const setting& s, const std::string& name, const std::string& store,
         std::vector<std::pair<std::string, std::string>> environment) {
  const auto directory = s.work / name;
  fs::create_directories(directory);
  environment.emplace_back("GITHUB_WEBHOOK_SECRET", webhook_secret);
  process_ =
      child{{{s.binary, "serve", "--listen", "127.0.0.1:0", "--store", store},
             std::move(environment),
             directory,
             directory / "log",
             std::nullopt}};
  const std::string mark = "listening on http://127.0.0.1:";
  wait_until(process_, "eventweft", [&] {
    const auto said = process_.said();
    const auto at = said.find(mark);
    if (at == std::string::npos || said.find('\n', at) == std::string::npos)
      return false;
    address_.port =
        static_cast<uint16_t>(std::stoi(said.substr(at + mark.size())));
    return true;
  });
  wait_until(process_, "eventweft", [&] {
    return http_get(address_, "/readyz").starts_with("HTTP/1.1 200");
  });
}

void hub::stop() {
  const auto status = process_.stop(SIGTERM, 30s);
  if (status != 0)
    throw bench_error("eventweft did not end well:\n" + process_.said());
}

postgres_server::postgres_server(const setting& s)
    : home_(s.work / "postgres") {
  const auto bin = postgres_binaries();
  const auto user = unprivileged_user();
  fs::create_directories(home_);
  if (user && ::chown(home_.c_str(), user->uid, user->gid) != 0)
    fail_errno("chown");
  const auto log = s.work / "postgres.log";
  run({{bin / "initdb", "-D", home_ / "data", "-U", "eventweft", "-A", "trust",
        "-E", "UTF8", "--locale=C.UTF-8"},
       {},
       home_,
       s.work / "initdb.log",
       user},
      60s);
  process_ = child{{{bin / "postgres", "-D", home_ / "data", "-k", home_, "-c",
                     "listen_addresses=", "-c", "max_wal_size=8GB", "-c",
                     "checkpoint_timeout=1h"},
                    {},
                    home_,
                    log,
                    user}};
  wait_until(process_, "PostgreSQL", [&] {
    try {
      pg_connection{url_of("postgres")}.run("SELECT 1");
      return true;
    } catch (const bench_error&) {
      return false;
    }
  });
}

postgres_server::~postgres_server() {
  process_.stop(SIGINT, 30s);
  std::error_code ignored;
  fs::remove_all(home_, ignored);
}

std::string postgres_server::url_of(const std::string& name) const {
  std::string host;
  for (const char c : home_.string())
    host += c == '/' ? std::string{"%2F"} : std::string{c};
  return "postgresql:///" + name + "?host=" + host + "&user=eventweft";
}

std::string postgres_server::fresh_database() {
  const auto name = "bench_" + std::to_string(++databases_);
  pg_connection{url_of("postgres")}.run("CREATE DATABASE " + name);
  return url_of(name);
}

void postgres_server::drop_database(const std::string& url) {
  const auto begin = std::string{"postgresql:///"}.size();
  const auto name = url.substr(begin, url.find('?') - begin);
  pg_connection{url_of("postgres")}.run("DROP DATABASE " + name +
                                        " WITH (FORCE)");
}

void postgres_server::settle() {
  pg_connection{url_of("postgres")}.run("CHECKPOINT");
}

nchan_server::nchan_server(const setting& s, const std::string& name,
                           const std::string& workers) {
  const auto directory = s.work / name;
  fs::create_directories(directory);
  address_.port = free_port();
  const auto port = std::to_string(address_.port);
  const auto file = directory / "nginx.conf";
  std::ofstream conf{file};
  conf << "load_module /usr/lib/nginx/modules/ngx_nchan_module.so;\n"
       << (::getuid() == 0 ? "user root;\n" : "") << "daemon off;\n"
       << "worker_processes " << workers << ";\n"
       << "worker_rlimit_nofile 20000;\n"
       << "error_log " << (directory / "error.log").string() << " error;\n"
       << "pid " << (directory / "nginx.pid").string() << ";\n"
       << "events { worker_connections 15000; multi_accept on; }\n"
          "http {\n  access_log off;\n  tcp_nodelay on;\n"
          "  keepalive_requests 1000000000;\n"
          "  nchan_shared_memory_size 512M;\n";
  for (const auto* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
    conf << "  " << kind << "_temp_path " << (directory / kind).string()
         << ";\n";
  conf << "  server {\n    listen 127.0.0.1:" << port << " backlog=8192;\n"
       << "    location = /pub {\n      nchan_publisher;\n"
          "      nchan_channel_id bench;\n"
          "      nchan_message_buffer_length 1000000;\n"
          "      nchan_message_timeout 10m;\n    }\n"
          "    location = /sub {\n      nchan_subscriber websocket "
          "eventsource;\n      nchan_channel_id bench;\n"
          "      nchan_subscriber_first_message newest;\n    }\n"
          "  }\n}\n";
  conf.close();
  process_ = child{{{"nginx", "-p", directory, "-c", file},
                    {},
                    directory,
                    directory / "log",
                    std::nullopt}};
  wait_until(process_, "nginx", [&] { return accepts(address_); });
}

} // namespace eventweft::bench
