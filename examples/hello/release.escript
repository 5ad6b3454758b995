#!/usr/bin/env escript
%% SPDX-License-Identifier: MIT
%% release.escript DIRECTORY: compile the application and lay out its release there, the way that
%% systools and the embedded world have it. The OTP libraries stay where the system has them; the boot
%% file names them through ERTS_LIB_DIR, and ours through RELEASE_LIB, both set by init.

main([Out]) ->
    Here = filename:dirname(filename:absname(escript:script_name())),
    {ok, [{application, hello, Keys}]} = file:consult(filename:join(Here, "src/hello.app.src")),
    Version = proplists:get_value(vsn, Keys),
    Ebin = filename:join([Out, "lib", "hello-" ++ Version, "ebin"]),
    Releases = filename:join([Out, "releases", Version]),
    ok = filelib:ensure_dir(filename:join(Ebin, "x")),
    ok = filelib:ensure_dir(filename:join(Releases, "x")),
    compile(Here, Ebin),
    {ok, _} = file:copy(filename:join(Here, "src/hello.app.src"),
                        filename:join(Ebin, "hello.app")),
    Rel = filename:join(Releases, "hello"),
    ErtsVersion = erlang:system_info(version),
    Apps = [{App, version(App)} || App <- [kernel, stdlib, sasl]] ++ [{hello, Version}],
    write(Rel ++ ".rel", {release, {"hello", Version}, {erts, ErtsVersion}, Apps}),
    ok = systools:make_script(Rel, [warnings_as_errors, {path, [Ebin]}, {outdir, Releases},
                                    {variables, [{"RELEASE_LIB", filename:join(Out, "lib")},
                                                 {"ERTS_LIB_DIR", code:lib_dir()}]}]),
    [{ok, _} = file:copy(filename:join([Here, "rel", Name]), filename:join(Releases, Name))
     || Name <- ["vm.args", "sys.config"]],
    ok = file:write_file(filename:join([Out, "releases", "start_erl.data"]),
                         [ErtsVersion, " ", Version, "\n"]).

compile(Here, Ebin) ->
    [{ok, _} = compile:file(File, [{outdir, Ebin}, deterministic, report, warnings_as_errors])
     || File <- filelib:wildcard(filename:join(Here, "src/*.erl"))].

version(App) ->
    _ = application:load(App),
    {ok, Version} = application:get_key(App, vsn),
    Version.

write(File, Term) ->
    ok = file:write_file(File, io_lib:format("~p.~n", [Term])).
