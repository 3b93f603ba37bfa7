using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace PolyBalance.Tests.Architecture;

/// <summary>One call in compiled code.</summary>
/// <param name="From">
/// The type that somebody wrote around the call; not the state machine or closure made of it.
/// </param>
/// <param name="Within">The method as its author named it, for messages.</param>
/// <param name="Callee">What is called.</param>
internal sealed record Call(Type From, string Within, MethodBase Callee);

/// <summary>Reads what the code calls from the compiled assemblies, so that no spelling hides a call.</summary>
internal static class CallScanner
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance
        | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => code.Value);

    /// <summary>Every call that the methods of an assembly make.</summary>
    public static IEnumerable<Call> CallsOf(Assembly assembly)
        => from type in assembly.GetTypes()
           from method in MethodsOf(type)
           from callee in CalleesOf(method)
           select new Call(WrittenType(type), NameOf(type, method), callee);

    /// <summary>The type in the source: state machines and closures are nested in the one that was written.</summary>
    public static Type WrittenType(Type type)
    {
        while (type.DeclaringType is { } outer
            && (type.Name.Contains('<') || type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false)))
            type = outer;
        return type;
    }

    private static IEnumerable<MethodBase> MethodsOf(Type type)
        => type.GetMethods(Declared).Concat<MethodBase>(type.GetConstructors(Declared));

    private static string NameOf(Type type, MethodBase method)
    {
        // `<RunAsync>d__7.MoveNext` and `<>c.<Run>b__0` both name the method between the brackets.
        var name = type.Name.StartsWith('<') && !type.Name.StartsWith("<>", StringComparison.Ordinal)
            ? type.Name
            : method.Name;
        var written = name.StartsWith('<') && name.IndexOf('>') is > 1 and var end ? name[1..end] : method.Name;
        return $"{WrittenType(type).FullName}.{written}";
    }

    private static IEnumerable<MethodBase> CalleesOf(MethodBase method)
    {
        var code = method.GetMethodBody()?.GetILAsByteArray();
        for (var at = 0; at < code?.Length;)
        {
            var instruction = Next(code, ref at);
            var operand = at;
            at += OperandLength(instruction, code, operand);
            if (instruction.OperandType is OperandType.InlineMethod && Resolve(method, code, operand) is { } callee)
                yield return callee;
        }
    }

    private static OpCode Next(byte[] code, ref int at)
    {
        // 0xFE starts the two-byte instructions.
        var value = code[at] == 0xFE ? (short)((code[at++] << 8) | code[at++]) : code[at++];
        return Codes[value];
    }

    private static int OperandLength(OpCode instruction, byte[] code, int operand) => instruction.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, operand)),
        _ => 4,
    };

    private static MethodBase? Resolve(MethodBase method, byte[] code, int operand)
    {
        var typeArguments = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        var arguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        return method.Module.ResolveMethod(BitConverter.ToInt32(code, operand), typeArguments, arguments);
    }
}
