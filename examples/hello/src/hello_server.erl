%% SPDX-License-Identifier: MIT
%% Greets, listens on 127.0.0.1, and talks to itself there: proof that the loopback interface is up.
-module(hello_server).
-behaviour(gen_server).
-export([start_link/0, init/1, handle_continue/2, handle_call/3, handle_cast/2, terminate/2]).

-define(ANSWER_MS, 5000).
-define(UPTIME_FILE, "/proc/uptime").

start_link() ->
    gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

init([]) ->
    process_flag(trap_exit, true),
    logger:notice("hello: this is Erlang/OTP ~s, up ~s s after the kernel",
                  [erlang:system_info(otp_release), uptime()]),
    {ok, Listener} = gen_tcp:listen(0, [binary, {ip, {127, 0, 0, 1}}, {packet, line},
                                        {active, false}, {reuseaddr, true}]),
    {ok, Listener, {continue, talk}}.

handle_continue(talk, Listener) ->
    {ok, Port} = inet:port(Listener),
    spawn_link(fun() -> echo(Listener) end),
    {ok, Socket} = gen_tcp:connect({127, 0, 0, 1}, Port,
                                   [binary, {packet, line}, {active, false}]),
    ok = gen_tcp:send(Socket, "are you there?\n"),
    {ok, Answer} = gen_tcp:recv(Socket, 0, ?ANSWER_MS),
    gen_tcp:close(Socket),
    logger:notice("hello: over loopback: ~s", [string:trim(Answer)]),
    {noreply, Listener}.

handle_call(_Request, _From, Listener) ->
    {reply, ok, Listener}.

handle_cast(_Message, Listener) ->
    {noreply, Listener}.

terminate(_Reason, _Listener) ->
    logger:notice("hello: goodbye").

%% One connection after the other: each line comes back with a word in front.
echo(Listener) ->
    {ok, Socket} = gen_tcp:accept(Listener),
    echo_lines(Socket),
    echo(Listener).

echo_lines(Socket) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, Line} ->
            ok = gen_tcp:send(Socket, ["you said: ", Line]),
            echo_lines(Socket);
        {error, closed} ->
            gen_tcp:close(Socket)
    end.

uptime() ->
    case file:read_file(?UPTIME_FILE) of
        {ok, Text} -> hd(string:split(Text, " "));
        {error, _} -> "?"
    end.
