using System.CodeDom.Compiler;
using System.Reflection;
using System.Runtime.CompilerServices;
using PolyBalance.Host;

namespace PolyBalance.Tests.Architecture;

/// <summary>The names somebody chose, read from the compiled assemblies.</summary>
internal static class DeclaredNames
{
    /// <summary>PolyBalance.Core.</summary>
    public static readonly Assembly Core = typeof(FailureKind).Assembly;

    /// <summary>PolyBalance.Host.</summary>
    public static readonly Assembly Host = typeof(Surface).Assembly;

    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance
        | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>The types of an assembly that stand in a source file of ours.</summary>
    public static IEnumerable<Type> TypesOf(Assembly assembly)
        => assembly.GetTypes()
            .Where(type => IsOurs(type) && !IsGenerated(type) && CallScanner.WrittenType(type) == type);

    /// <summary>
    /// The members of a type that somebody wrote; accessors and what the compiler adds to records left out.
    /// </summary>
    public static IEnumerable<MemberInfo> MembersOf(Type type)
        => type.GetMembers(Declared).Where(member => !IsGenerated(member) && member is not Type
            && member is not MethodBase { IsSpecialName: true } and not FieldInfo { IsSpecialName: true });

    /// <summary>The parameters of a type's methods and constructors.</summary>
    public static IEnumerable<ParameterInfo> ParametersOf(Type type)
        => type.GetMembers(Declared).OfType<MethodBase>().Where(method => !IsGenerated(method))
            .SelectMany(method => method.GetParameters()).Where(parameter => parameter.Name is not null);

    /// <summary>May code outside the type use it? Public, internal, or both with protected.</summary>
    public static bool IsVisible(MemberInfo member) => member switch
    {
        MethodBase method => method.IsPublic || method.IsAssembly || method.IsFamilyOrAssembly,
        FieldInfo field => field.IsPublic || field.IsAssembly || field.IsFamilyOrAssembly,
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsVisible),
        EventInfo happening => IsVisible(happening.AddMethod!),
        _ => false,
    };

    /// <summary>Repeats a contract that is written down where it was first declared.</summary>
    public static bool IsInherited(MemberInfo member) => member switch
    {
        MethodInfo method => method.GetBaseDefinition() != method || Implements(method),
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsInherited),
        _ => false,
    };

    // Generators put types of their own into the assembly.
    private static bool IsOurs(Type type)
        => type.Namespace?.StartsWith(nameof(PolyBalance), StringComparison.Ordinal) == true;

    private static bool Implements(MethodInfo method)
        => method.DeclaringType is { IsInterface: false } type
            && type.GetInterfaces().Any(face => type.GetInterfaceMap(face).TargetMethods.Contains(method));

    private static bool IsGenerated(MemberInfo member)
        => member.Name.Contains('<')
            || member.IsDefined(typeof(GeneratedCodeAttribute), inherit: false) && member is Type
            || member is not PropertyInfo && member.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false);
}
